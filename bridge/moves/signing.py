"""Our signing keys: made, rotated, retired, listed, and brought out to sign."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from bridge.errors import ConfigError, Problem
from bridge.fhir import keyset
from bridge.fhir.keyset import Key, KeyState, Signer
from bridge.settings import Algorithm
from bridge.store import audit, signing
from bridge.store.ledger import Ledger

COMMAND = "command line"


def keys(ledger: Ledger) -> list[Key]:
    """Every key there ever was, oldest first."""
    with ledger.read() as connection:
        return [Key(**row._mapping) for row in signing.all_keys(connection)]


def signer(ledger: Ledger, kind: str, algorithms: Iterable[str], now: int) -> Signer | None:
    """What signs for connections of this kind, by the first of these algorithms that has a key. Raises LedgerError."""
    key = keyset.signing(keys(ledger), kind, algorithms, now)
    if key is None:
        return None
    with ledger.read() as connection:
        hidden = signing.private_of(connection, key.id)
    return Signer(key.kid, key.algorithm, ledger.keyring.show(key.kid, hidden)) if hidden else None


def new(ledger: Ledger, kind: str, algorithm: Algorithm, by: str, now: int) -> Key:
    """The first key of its kind and algorithm; it signs at once. Raises ConfigError where there is one."""
    if current(keys(ledger), kind, algorithm):
        raise ConfigError(_wrong("key-exists", f"there is a {kind} key for {algorithm}", "use `bridge keys rotate`"))
    return _add(ledger, kind, algorithm, None, 0, by, now)


def rotate(ledger: Ledger, kind: str, algorithm: Algorithm, overlap: int, by: str, now: int) -> Key:
    """A new key is published; it signs when `overlap` microseconds have passed, and the old one until then.

    Raises ConfigError where there is none to follow, or a rotation is under way.
    """
    known = keys(ledger)
    newest = current(known, kind, algorithm)
    if newest is None:
        raise ConfigError(_wrong("key-none", f"there is no {kind} key for {algorithm}", "use `bridge keys new`"))
    if keyset.state(newest, known, now) is KeyState.WAITING:
        step = "wait until it signs (`bridge keys list`), or retire it"
        raise ConfigError(_wrong("key-waiting", "a rotation of this key is under way", step))
    return _add(ledger, kind, algorithm, newest, overlap, by, now)


def retire(ledger: Ledger, kid: str, at_once: bool, by: str, now: int) -> Key:
    """The key is not published any more and its private part is destroyed.

    Raises ConfigError for an unknown kid, and, unless `at_once`, while something it signed may still be under way.
    """
    known = keys(ledger)
    found = [key for key in known if key.kid == kid]
    if not found:
        raise ConfigError(_wrong("key-unknown", "no key has this kid", "see `bridge keys list`", "KID"))
    key = found[0]
    stands = keyset.state(key, known, now)
    if stands is KeyState.SIGNING and not at_once:
        rule = "this key signs: without it nobody of its kind can sign in"
        raise ConfigError(_wrong("key-signing", rule, "rotate first; --now retires a key that is known to others"))
    if stands is KeyState.REPLACED and not at_once:
        rule = "what this key signed may still be under way"
        raise ConfigError(_wrong("key-early", rule, "retire it when `bridge keys list` says retirable, or with --now"))
    if ledger.write(signing.retire, (key.id, now)):
        _note(ledger, by, "key-retire", key.kid, now)
    return next(one for one in keys(ledger) if one.id == key.id)


def current(known: Sequence[Key], kind: str, algorithm: str) -> Key | None:
    """The newest key of a kind and algorithm, signing or about to."""
    same = [key for key in known if (key.kind, key.algorithm, key.retired_at) == (kind, algorithm, None)]
    return max(same, key=lambda key: (key.signs_from, key.id), default=None)


def _add(ledger: Ledger, kind: str, algorithm: Algorithm, follows: Key | None, overlap: int, by: str, now: int) -> Key:
    pair = keyset.make(algorithm)
    added = signing.NewKey(
        id=ledger.ids.take(),
        kind=kind,
        algorithm=algorithm,
        kid=pair.kid,
        public=pair.public,
        private=ledger.keyring.hide(pair.kid, pair.private),
        wrapping_key=ledger.keyring.name,
        made_at=now,
        signs_from=now + overlap,
        replaces=follows.id if follows is not None else 0,
    )
    if not ledger.write(signing.add, added):
        raise ConfigError(_wrong("key-changed", "somebody else made a key just now", "see `bridge keys list`"))
    _note(ledger, by, "key-rotate" if follows is not None else "key-new", pair.kid, now)
    return next(key for key in keys(ledger) if key.kid == pair.kid)


def _note(ledger: Ledger, by: str, action: str, kid: str, now: int) -> None:
    ledger.write(audit.note, audit.Line(ledger.ids.take(), "", now, by, action, f"key {kid}"))


def _wrong(code: str, rule: str, step: str, field: str = "") -> Problem:
    return Problem(code, rule, COMMAND, field, step)
