"""Tapes: a session written down as text, replayed against the real application, and judged.

The language is that of VHS, so that editors and people already know it; `As <persona>` is our one word more.
`parser` reads, `player` acts through any `Robot`-like client, `report` says what happened. Nothing here knows
medicine, sessions or the relay: who opens a client is the caller's affair.
"""
