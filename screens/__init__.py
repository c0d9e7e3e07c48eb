"""The rooms one sees: each screen draws a view it is given and raises intents; none awaits, fetches or decides.

Screens import Textual and the counter (`client.intents`, `client.views`, `client.updates`, `client.i18n`), nothing
else of the house. Remote text goes through `screens.formatting.visible` and is never parsed as markup.
"""
