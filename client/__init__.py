"""One practitioner's desk: decides in `machine`, acts in `session`.

The counter is three files of plain words: `intents` (what one may ask), `views` (what one may see),
`updates` (what the session announces). Front ends know nothing else of this room.
"""
