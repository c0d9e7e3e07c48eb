"""The relay: orders and delivers what it cannot read.

Decisions (`service`, `authentication`, `keys`, `directory`) are pure; the world is behind `ports` and lives in
`adapters`, hired by `bootstrap` only. Nothing here imports `crypto.sealing`, `protocol.payload` or clinical `domain`.
"""
