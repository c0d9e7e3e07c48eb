"""The synthesis as a PDF: A4, fonts inside, the same bytes for the same content.

Equal bytes let a hash stand for the document, so nothing here asks the clock or chance. reportlab is loaded by the
first `render`, not by the start of the program: only `synthesis_layout` imports it.
"""

from __future__ import annotations

from domain.synthesis import SynthesisContent


def render(content: SynthesisContent) -> bytes:
    """Return the PDF. Total: no text, however hostile or long, makes it fail or escapes from its paragraph."""
    from client.adapters import synthesis_layout

    return synthesis_layout.render(content)
