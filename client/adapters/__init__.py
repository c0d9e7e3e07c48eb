"""Everything of the client that touches the world; hired by `client.bootstrap` only."""
