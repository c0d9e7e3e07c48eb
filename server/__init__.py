"""The relay: orders and delivers what it cannot read.

Decisions (`service`, `authentication`, `directory`, `streams`) are pure; the world is behind `ports` and lives in
`adapters`, hired by `bootstrap` only. Nothing here may import `crypto.sealing`, `protocol.payload` or clinical `domain`.
"""
