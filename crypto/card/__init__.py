"""The CPS card: what it is (pure: port, apdu, profiles, identity, errors) and how it is reached (adapters).

Adapters (`pcsc`, `inprocess`, `watcher`, `virtual`) touch readers, threads and sockets; only composition roots,
command lines and tests import them.
"""
