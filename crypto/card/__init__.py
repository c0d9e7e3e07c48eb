"""The CPS card: what it is (pure) and how it is reached (adapters).

Pure: `port`, `errors`, `apdu`, `pkcs15`, `situations`, `profiles`, `session` (the conversation, given a transport)
and `channel` (what all ways of reaching a card share).

Adapters: `scard` (the only importer of pyscard), `pcsc`, `watcher`, `inprocess`, `daemon` and the virtual card in
`virtual`. They touch readers, threads, files and sockets; only composition roots, command lines and tests import them.
"""
