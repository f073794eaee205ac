"""Signing keys in the ledger: encrypted, one rotation at a time, gone when retired."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from bridge.errors import LedgerError
from bridge.store import leases, signing, tables
from bridge.store.keys import Keyring
from bridge.store.ledger import Ledger
from bridge.store.signing import NewKey
from tests.unit.store.making import NOW

PRIVATE = b"a private key of forty bytes, more or less"


def key(ledger: Ledger, kid: str = "one", replaces: int = 0, signs_from: int = NOW) -> NewKey:
    hidden = ledger.keyring.hide(kid, PRIVATE)
    name = ledger.keyring.name
    return NewKey(ledger.ids.take(), "test", "ES384", kid, "{}", hidden, name, NOW, signs_from, replaces)


def test_a_key_is_kept_encrypted_and_read_back(ledger: Ledger) -> None:
    made = key(ledger)
    assert ledger.write(signing.add, made)
    with ledger.read() as connection:
        hidden = signing.private_of(connection, made.id)
        (row,) = signing.all_keys(connection)
        everything = connection.execute(select(tables.signing_key)).one()
    assert PRIVATE not in hidden
    assert not any(isinstance(value, bytes) and PRIVATE in value for value in everything)
    assert "private" not in row._mapping
    assert ledger.keyring.show("one", hidden) == PRIVATE


def test_a_private_part_opens_under_its_own_name_and_key_alone(ledger: Ledger) -> None:
    hidden = ledger.keyring.hide("one", PRIVATE)
    for opener, name in ((ledger.keyring, "two"), (Keyring(bytes(31) + b"x"), "one")):
        with pytest.raises(LedgerError) as caught:
            opener.show(name, hidden)
        assert caught.value.problems[0].code == "key-wrong"
    with pytest.raises(LedgerError):
        ledger.keyring.show("one", hidden[:-1])


def test_who_comes_second_adds_nothing(ledger: Ledger) -> None:
    first = key(ledger)
    assert ledger.write(signing.add, first)
    assert not ledger.write(signing.add, key(ledger, "two"))
    after = key(ledger, "three", replaces=first.id, signs_from=NOW + 1)
    assert ledger.write(signing.add, after)
    assert not ledger.write(signing.add, key(ledger, "four", replaces=first.id, signs_from=NOW + 2))


def test_a_retired_key_has_no_private_part_any_more(ledger: Ledger) -> None:
    made = key(ledger)
    ledger.write(signing.add, made)
    assert ledger.write(signing.retire, (made.id, NOW + 5))
    assert not ledger.write(signing.retire, (made.id, NOW + 6))
    with ledger.read() as connection:
        assert signing.private_of(connection, made.id) == b""
        assert [row.retired_at for row in signing.all_keys(connection)] == [NOW + 5]
    assert ledger.write(signing.add, key(ledger, "two"))


def test_token_calls_are_counted_for_all_processes(ledger: Ledger) -> None:
    for call in ((True, False, False), (True, True, False), (False, True, False), (True, False, True)):
        ledger.write(leases.count_token_calls, leases.TokenCall("elm", *call))
    with ledger.read() as connection:
        assert leases.token_calls(connection) == {"elm": (3, 2, 1)}
