"""A virtual CPS card: the test authorities, the card image, the card itself and the process that inserts it.

Everything here is an adapter for demonstrations and tests. Pure by discipline all the same: `card` is bytes in and
bytes out; only `image` and `process` touch files and sockets.
"""
