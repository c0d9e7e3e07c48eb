"""Drawn parts: attributes come down, messages go up; none knows a session, none parses markup."""
