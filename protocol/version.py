"""The protocol's version: said in the first frame and in every envelope, never negotiated by the server."""

PROTOCOL_VERSION = 1
