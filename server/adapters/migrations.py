"""The relay's schema, as the steps that led to it. A step, once released, is never edited: a new one follows it."""

from __future__ import annotations

MIGRATIONS: tuple[str, ...] = (
    """
    CREATE TABLE conversations (
        conversation TEXT PRIMARY KEY, requerant TEXT NOT NULL, requis TEXT NOT NULL, status TEXT NOT NULL
    ) WITHOUT ROWID;
    CREATE TABLE events (
        sequence INTEGER PRIMARY KEY, event_id TEXT NOT NULL UNIQUE, header BLOB NOT NULL, body BLOB NOT NULL,
        signature BLOB NOT NULL, received_at TEXT NOT NULL
    );
    CREATE TABLE streams (
        account TEXT NOT NULL, position INTEGER NOT NULL, event INTEGER NOT NULL REFERENCES events(sequence),
        PRIMARY KEY (account, position)
    ) WITHOUT ROWID;
    CREATE INDEX streams_by_event ON streams(event);
    CREATE TABLE devices (
        account TEXT NOT NULL, rank INTEGER NOT NULL, device TEXT NOT NULL, public_key BLOB NOT NULL,
        document BLOB NOT NULL, PRIMARY KEY (account, rank), UNIQUE (account, device)
    ) WITHOUT ROWID;
    CREATE TABLE service_keys (account TEXT PRIMARY KEY, document BLOB NOT NULL) WITHOUT ROWID;
    CREATE TABLE sessions (
        token_hash BLOB PRIMARY KEY, account TEXT NOT NULL, device TEXT NOT NULL, situation INTEGER NOT NULL,
        expires_at_s INTEGER NOT NULL
    ) WITHOUT ROWID;
    CREATE INDEX sessions_by_expiry ON sessions(expires_at_s);
    CREATE TABLE challenges (nonce TEXT PRIMARY KEY, expires_at_s INTEGER NOT NULL) WITHOUT ROWID;
    CREATE INDEX challenges_by_expiry ON challenges(expires_at_s);
    CREATE TABLE directory (account TEXT PRIMARY KEY, name TEXT NOT NULL, entry BLOB NOT NULL) WITHOUT ROWID;
    CREATE INDEX directory_by_name ON directory(name, account);
    CREATE TABLE preferences (account TEXT PRIMARY KEY, document BLOB NOT NULL) WITHOUT ROWID;
    CREATE TABLE memberships (
        person TEXT NOT NULL, account TEXT NOT NULL, rights TEXT NOT NULL, is_delegation INTEGER NOT NULL,
        PRIMARY KEY (person, account)
    ) WITHOUT ROWID;
    CREATE INDEX memberships_by_account ON memberships(account);
    CREATE TABLE blobs (blob TEXT PRIMARY KEY, size_bytes INTEGER NOT NULL) WITHOUT ROWID;
    CREATE TABLE audit (
        sequence INTEGER PRIMARY KEY, at TEXT NOT NULL, actor TEXT NOT NULL, action TEXT NOT NULL,
        subject TEXT NOT NULL, hash BLOB NOT NULL
    );
    CREATE TRIGGER audit_is_append_only_1 BEFORE UPDATE ON audit BEGIN SELECT raise(ABORT, 'append-only'); END;
    CREATE TRIGGER audit_is_append_only_2 BEFORE DELETE ON audit BEGIN SELECT raise(ABORT, 'append-only'); END;
    CREATE TABLE generation (value INTEGER NOT NULL);
    INSERT INTO generation VALUES (0);
    """,
)
"""Step n takes the schema from version n to n + 1."""
