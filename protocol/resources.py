"""The request/response resources over HTTPS (JSON; bytes are base64): authentication, directory, keys, blobs.

| method and path                          | body in          | body out        | errors |
| ---------------------------------------- | ---------------- | --------------- | ------ |
| POST /v1/auth/challenge                  | -                | Challenge       | 429 |
| POST /v1/auth/session                    | LoginRequest     | Session         | 400 401 403 |
| DELETE /v1/auth/session                  | -                | - (204)         | 401 |
| GET  /v1/directory?q&experts&departement&specialite&page | - | SearchPage  | 401 |
| GET  /v1/directory/{account}             | -                | DirectoryEntry  | 401 404 |
| PUT  /v1/directory/{account}/preferences | ExpertPreferences| - (204)         | 401 403 |
| GET  /v1/keys/{account}                  | -                | KeyDocument     | 401 404 |
| PUT  /v1/keys/{account}                  | KeyDocument      | - (204)         | 401 403 409 |
| HEAD/GET /v1/blobs/{blob}                | -                | octets          | 401 404 |
| PUT  /v1/blobs/{blob}                    | octets           | - (201/204)     | 400 401 413 507 |
| GET  /v1/livez, /v1/readyz               | -                | Health          | 503 |

Everything but challenge, session and health needs `Authorization: Bearer <token>`. An error's body is `Problem`.
The stream itself is the websocket `/v1/stream` (frames.py).
"""

from __future__ import annotations

import msgspec

from domain.identifiers import AccountId


class Problem(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An error (after RFC 9457): a stable code, and never a clinical or secret word."""

    code: str
    detail: str = ""


class Challenge(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A single-use nonce (64 hexadecimal characters) for this relay's `audience`."""

    nonce: str
    audience: str
    expires_at: str


class Signed(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A typed statement (JSON bytes, see crypto.identity) and the card's RSA-SHA256 signature over it."""

    statement: bytes
    signature: bytes


class EnrolledDevice(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A device key and an account key certified by the holder's card."""

    enrolment: Signed
    certificate: bytes
    """DER of the card's authentication certificate."""
    intermediates: tuple[bytes, ...] = ()


class LoginRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The card's answer to a challenge, with the device it opens the session for."""

    login: Signed
    device: EnrolledDevice
    situation: int = 1
    """Rank of the chosen practice situation."""


class ActingAccount(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An account the session may act for (« Agir en tant que »)."""

    account: AccountId
    name: str
    is_service: bool
    rights: tuple[str, ...]
    """Among `lire`, `repondre`, `finaliser`, `exporter`."""


class Session(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An open session: bearer token, its life, and whose it is; the first acting account is the person's own."""

    token: str
    expires_at: str
    account: AccountId
    accounts: tuple[ActingAccount, ...]


class ServiceKey(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A service's account key, vouched for by the device of its responsible person."""

    statement: bytes
    """Typed JSON statement naming the account and its public key (crypto.identity)."""
    signature: bytes
    """Ed25519 by the responsible person's device."""
    responsible: AccountId
    wraps: dict[AccountId, bytes] = {}
    """The service's private key sealed to each member's account key; only members see their own."""


class KeyDocument(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Public keys of an account: a person's devices (oldest first), or a service's key."""

    account: AccountId
    devices: tuple[EnrolledDevice, ...] = ()
    service: ServiceKey | None = None


class ExpertPreferences(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What an expert publishes of his activity and asks of requesters (C01-C09)."""

    annuaire: bool = False
    descriptif: str = ""
    prerequis: str = ""
    documents: tuple[str, ...] = ()
    patient_obligatoire: bool = False
    nir_obligatoire: bool = False
    facturation_requerant_obligatoire: bool = False
    min_photos: int = 0
    lien_acces_rapide: str = ""


class DirectoryEntry(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A professional or service as the directory publishes it (domain.md 3)."""

    account: AccountId
    name: str
    """`Dr Anne CHARLIER` or `Avis Infectiologie CH DU VAL FICTIF`."""
    is_service: bool
    profession: str = ""
    speciality: str = ""
    speciality_code: str = ""
    structure: str = ""
    kind: str = ""
    """`Service hospitalier`, `Libéral`, `Salarié`."""
    town: str = ""
    postcode: str = ""
    departement: str = ""
    id_nat: str = ""
    rpps: str = ""
    numero_facturation: str = ""
    """FINESS géographique of a salaried; the AM number of a libéral is never published (domain.md 0.1.8)."""
    has_key: bool = False
    """Whether a request can be sealed to this account today."""
    members: tuple[str, ...] = ()
    """Names of a service's members."""
    preferences: ExpertPreferences | None = None


class Facet(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A filter the query suggests, shown as a removable chip (D03)."""

    field: str
    """`specialite` or `departement`."""
    value: str
    label: str


class SearchPage(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One page of both groups (D03); `facets` are the filters in force, with their labels."""

    professionals: tuple[DirectoryEntry, ...]
    services: tuple[DirectoryEntry, ...]
    professionals_total: int
    services_total: int
    page: int
    facets: tuple[Facet, ...] = ()


class Health(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Liveness or readiness."""

    status: str
    version: str = ""
