"""The demonstration: a fictional region, its cards, its cases, and the commands that bring it to life.

A feature, not a fixture: everything goes through the real sessions, the real relay and the real card protocol. This is
the only room that may know both the client's and the server's composition roots.
"""
