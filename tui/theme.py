"""Colours: a calm clinical green, in four dresses. Every text stands at 4.5:1 or more on what lies under it.

Screens name inks and never colours; `VARIABLES` lists the names every theme must give. `avicenne-terminal` uses the
terminal's own sixteen colours and background: the lightest on a slow line.
"""

from __future__ import annotations

from textual.theme import Theme

INK_NAMES = (
    "ink-strong",
    "ink-dim",
    "ink-accent",
    "ink-good",
    "ink-info",
    "ink-warning",
    "ink-error",
    "banner",
    "banner-text",
    "field",
    "line",
)
"""Style-sheet variables that each theme gives."""


def _theme(name: str, *, dark: bool, background: str, text: str, inks: dict[str, str]) -> Theme:
    return Theme(
        name=name,
        dark=dark,
        primary=inks["ink-accent"],
        secondary=inks["ink-good"],
        accent=inks["ink-accent"],
        success=inks["ink-good"],
        warning=inks["ink-warning"],
        error=inks["ink-error"],
        foreground=text,
        background=background,
        surface=background,
        panel=background,
        text_alpha=1.0,
        variables=inks
        | {
            "scrollbar": inks["line"],
            "scrollbar-hover": inks["ink-dim"],
            "scrollbar-active": inks["ink-accent"],
            "scrollbar-background": background,
            "scrollbar-background-hover": background,
            "scrollbar-background-active": background,
            "scrollbar-corner-color": background,
            "input-cursor-background": text,
            "input-cursor-foreground": background,
            "input-cursor-text-style": "none",
            "input-selection-background": inks["banner"],
            "input-selection-foreground": inks["banner-text"],
        },
    )


DARK = _theme(
    "avicenne",
    dark=True,
    background="#0d1512",
    text="#d9e4de",
    inks={
        "ink-strong": "#f4faf7",
        "ink-dim": "#93a79c",
        "ink-accent": "#5fd3a0",
        "ink-good": "#7fd6a8",
        "ink-info": "#8cc8ff",
        "ink-warning": "#f0c35a",
        "ink-error": "#ff8f85",
        "banner": "#0f6b4a",
        "banner-text": "#ffffff",
        "field": "#17241e",
        "line": "#33493f",
    },
)

LIGHT = _theme(
    "avicenne-clair",
    dark=False,
    background="#fbfdfc",
    text="#1c2823",
    inks={
        "ink-strong": "#000000",
        "ink-dim": "#55655d",
        "ink-accent": "#0b6b47",
        "ink-good": "#17693f",
        "ink-info": "#0b5cad",
        "ink-warning": "#805300",
        "ink-error": "#b3261e",
        "banner": "#0b6b47",
        "banner-text": "#ffffff",
        "field": "#eaf2ee",
        "line": "#b9cbc2",
    },
)

CONTRAST = _theme(
    "avicenne-contraste",
    dark=True,
    background="#000000",
    text="#ffffff",
    inks={
        "ink-strong": "#ffffff",
        "ink-dim": "#d6d6d6",
        "ink-accent": "#5dffb0",
        "ink-good": "#8dffc8",
        "ink-info": "#a8d8ff",
        "ink-warning": "#ffe066",
        "ink-error": "#ffb3ab",
        "banner": "#004d33",
        "banner-text": "#ffffff",
        "field": "#101a16",
        "line": "#8a8a8a",
    },
)

TERMINAL = Theme(
    name="avicenne-terminal",
    ansi=True,
    dark=True,
    primary="ansi_green",
    secondary="ansi_green",
    accent="ansi_green",
    success="ansi_green",
    warning="ansi_yellow",
    error="ansi_red",
    foreground="ansi_default",
    background="ansi_default",
    surface="ansi_default",
    panel="ansi_default",
    boost="ansi_default",
    variables={
        "ink-strong": "ansi_default",
        "ink-dim": "ansi_default",
        "ink-accent": "ansi_green",
        "ink-good": "ansi_green",
        "ink-info": "ansi_cyan",
        "ink-warning": "ansi_yellow",
        "ink-error": "ansi_red",
        "banner": "ansi_green",
        "banner-text": "ansi_black",
        "field": "ansi_default",
        "line": "ansi_green",
        "input-cursor-background": "ansi_white",
        "input-cursor-foreground": "ansi_black",
        "input-cursor-text-style": "none",
        "input-selection-background": "ansi_green",
        "input-selection-foreground": "ansi_black",
        "scrollbar": "ansi_green",
        "scrollbar-hover": "ansi_green",
        "scrollbar-active": "ansi_green",
        "scrollbar-background": "ansi_default",
        "scrollbar-background-hover": "ansi_default",
        "scrollbar-background-active": "ansi_default",
        "scrollbar-corner-color": "ansi_default",
        "ansi-background": "ansi_black",
        "ansi-foreground": "ansi_white",
    },
)

THEMES = (DARK, LIGHT, CONTRAST, TERMINAL)

VARIABLE_DEFAULTS = {name: DARK.variables[name] for name in INK_NAMES}
"""For Textual's own themes, should somebody choose one."""
