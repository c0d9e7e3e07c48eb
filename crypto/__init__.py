"""The safe: bytes in, bytes out.

Keys, sealing, signing, certificates and the smart card. Knows no medicine, no frame of the wire.
Only `crypto.primitives` and `crypto.certificates` (and the virtual card) speak to pyca/cryptography (ADR 0006).
"""
