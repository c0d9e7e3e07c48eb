"""`python -m crypto.card.virtual --image FILE --port N`: a virtual card in a virtual reader."""

from __future__ import annotations

from crypto.card.virtual.process import main

raise SystemExit(main())
