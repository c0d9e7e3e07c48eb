"""Every size and count on the wire, each with its reason."""

MAX_FRAME_BYTES = 256 * 1024
"""A sealed event with its wraps; a 20,000-character text takes 60 kB in UTF-8 at most (domain.messages)."""

MAX_LETTER_BYTES = MAX_FRAME_BYTES - 16 * 1024
"""The clear letter: what a frame leaves once header, wraps and seal are counted."""

MAX_RECIPIENTS = 16
MAX_BLOBS_PER_EVENT = 32

MAX_BLOB_BYTES = 65 * 1024 * 1024
"""A sealed attachment: 64 MiB of clear bytes and the chunk overhead."""

MAX_CLOCK_SKEW_S = 120
"""How far a statement's `iat` may lie from the relay's clock."""

HELLO_TIMEOUT_S = 10
"""A connection that has not said Hello by then is closed."""

NONCE_BYTES = 32
CHALLENGE_LIFE_S = 120
SESSION_LIFE_S = 12 * 3600
"""A working day; the device key re-proves itself at each connection."""

PAGE_SIZE = 20
"""Directory results per group and page."""
