"""The statute book: what a tele-expertise is. No I/O, no clock, no chance, no library, no other room."""
