"""The shell of the house: the App that owns the session, the front door, colours and the terminal driver."""
