"""The letter-box: what crosses the wire, with no I/O, shared by both ends.

Both ends read the envelope (`envelope`, `frames`, `resources`); only clients read the letter (`payload`).
"""
