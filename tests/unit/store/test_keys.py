"""What people said is only in blobs, each readable with its person's key alone."""

from __future__ import annotations

import base64
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from traceback import format_exception

import pytest
from sqlalchemy import select, update

from bridge.errors import ConfigError, LedgerError
from bridge.store import keys, persons, tables
from bridge.store import ledger as ledgers
from bridge.store.keys import Keyring, make_key_file, parse_key, seal, unseal
from bridge.store.ledger import Ledger, PersonKeys, get_blobs, put_blobs
from tests.postgres import KEY, Reopen
from tests.unit.store.making import AGENCY, CHILD, claim, item, keep, one, person, rows

SECRET = b"the mother said she is afraid"
OTHER_KEY = bytes(reversed(range(32)))


def two_blobs(ledger: Ledger) -> tuple[int, int]:
    """Two blobs of two persons, by id."""
    keep(ledger, item("c1", SECRET), item("c2", SECRET * 100, subject="child-2"))
    first, second = (row["raw_blob"] for row in rows(ledger, tables.record))
    return first, second


def contents(ledger: Ledger) -> dict[int, bytes]:
    return {row["id"]: row["content"] for row in rows(ledger, tables.blob)}


def read(ledger: Ledger, *ids: int) -> dict[int, bytes]:
    with ledger.read() as connection:
        return get_blobs(connection, ledger.keys, ids)


def test_a_blob_comes_back_as_it_was(ledger: Ledger) -> None:
    first, second = two_blobs(ledger)
    assert read(ledger, first, second, 999) == {first: SECRET, second: SECRET * 100}
    assert [row["codec"] for row in rows(ledger, tables.blob)] == ["none", "zlib"]


def test_a_blob_shows_nothing_of_what_it_holds(ledger: Ledger) -> None:
    two_blobs(ledger)
    assert all(SECRET not in content for content in contents(ledger).values())


def test_the_same_words_twice_are_two_ciphertexts(ledger: Ledger) -> None:
    keep(ledger, item("c1", SECRET), item("c2", SECRET), item("c3", SECRET, subject="child-2"))
    assert len(set(contents(ledger).values())) == 3


def test_every_person_has_a_key_of_their_own_wrapped(ledger: Ledger) -> None:
    two_blobs(ledger)
    wrapped = [row["wrapped_key"] for row in rows(ledger, tables.person)]
    plain = [ledger.keyring.unwrap(key) for key in wrapped]
    assert len(set(plain)) == 2
    assert not set(plain) & set(wrapped)
    assert {row["wrapping_key"] for row in rows(ledger, tables.person)} == {ledger.keyring.name}


def test_another_key_opens_nothing_and_says_so_without_values(ledger: Ledger, reopen: Reopen) -> None:
    first, _ = two_blobs(ledger)
    with pytest.raises(LedgerError) as caught:
        read(reopen(OTHER_KEY), first)
    assert caught.value.problems[0].code == "key-wrong"
    said = "".join(format_exception(caught.value))
    assert SECRET.decode() not in said
    assert CHILD not in said


def test_a_blob_moved_to_another_id_does_not_open(ledger: Ledger) -> None:
    first, second = two_blobs(ledger)
    keep(ledger, item("c3", b"of the same person"))
    third = max(contents(ledger))
    with ledger.engine.begin() as connection:
        moved = select(tables.blob.c.content).where(tables.blob.c.id == first).scalar_subquery()
        connection.execute(update(tables.blob).where(tables.blob.c.id == third).values(content=moved))
    assert read(ledger, first, second).keys() == {first, second}
    with pytest.raises(LedgerError) as caught:
        read(ledger, third)
    assert caught.value.problems[0].code == "blob-damaged"
    assert SECRET.decode() not in "".join(format_exception(caught.value))


@pytest.mark.parametrize("damage", [b"", b"short", b"x" * 100])
def test_a_damaged_blob_does_not_open(ledger: Ledger, damage: bytes) -> None:
    first, _ = two_blobs(ledger)
    with ledger.engine.begin() as connection:
        connection.execute(update(tables.blob).where(tables.blob.c.id == first).values(content=damage))
    with pytest.raises(LedgerError, match="does not open"):
        read(ledger, first)


def test_a_blob_opens_only_with_its_own_codec_and_person() -> None:
    key, other = bytes(range(32)), bytes(32)
    codec, content = seal(key, 7, SECRET * 100)
    assert unseal(key, 7, codec, content) == SECRET * 100
    for wrong in ((key, 8, codec), (key, 7, "none"), (other, 7, codec)):
        with pytest.raises(LedgerError):
            unseal(*wrong, content)


def test_a_destroyed_key_leaves_nothing_to_read(ledger: Ledger, reopen: Reopen) -> None:
    """R24's way out: erasing a person destroys their key; what others said stays readable."""
    first, second = two_blobs(ledger)
    with ledger.engine.begin() as connection:
        connection.execute(update(tables.person).where(tables.person.c.source == CHILD).values(wrapped_key=b""))
    after = reopen()
    assert read(after, first, second) == {second: SECRET * 100}
    with pytest.raises(LedgerError) as caught:
        keep(after, item("c9", b"comes again"))
    assert caught.value.problems[0].code == "person-erased"
    with after.engine.begin() as connection, pytest.raises(LedgerError):
        put_blobs(connection, {}, [(after.ids.take(), AGENCY, 1, b"x")])


def test_a_record_nobody_can_read_any_more_is_not_due_for_ever(ledger: Ledger, reopen: Reopen) -> None:
    two_blobs(ledger)
    with ledger.engine.begin() as connection:
        connection.execute(update(tables.person).where(tables.person.c.source == CHILD).values(wrapped_key=b""))
    after = reopen()
    assert [work.subject for work in claim(after)] == ["child-2"]
    due = {row["source_id"]: row["due_at"] for row in rows(after, tables.record)}
    assert due["c1"] is None
    assert due["c2"] is not None


def test_remembered_keys_are_not_mistaken_for_destroyed_ones(
    ledger: Ledger, reopen: Reopen, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The memory of keys is emptied when full, also while a list of persons is being read."""
    keep(ledger, *(item(f"c{number}", b"%d" % number, subject=f"child-{number}") for number in range(20)))
    blobs = [row["raw_blob"] for row in rows(ledger, tables.record)]
    monkeypatch.setattr(ledgers, "KEYS_KEPT", 3)
    after = reopen()
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda _: read(after, *blobs), range(8)))
    assert all(len(blobs_read) == 20 for blobs_read in found)


def test_a_person_known_already_keeps_their_key(ledger: Ledger) -> None:
    keep(ledger, item("c1", SECRET))
    before = person(ledger)["wrapped_key"]
    keep(ledger, item("c2", b"more"))
    assert person(ledger)["wrapped_key"] == before
    prepared = persons.prepare(ledger, AGENCY, CHILD)
    assert prepared.wrapped_key != before
    assert one(ledger, tables.person)["id"] != prepared.id


def test_search_hashes_are_equal_for_equal_values_only_under_one_key() -> None:
    keyring = Keyring(KEY)
    assert keyring.hash("mrn", "1") == Keyring(KEY).hash("mrn", "1")
    hashes = {keyring.hash("mrn", "1"), keyring.hash("mrn", "2"), keyring.hash("mrn1", ""), keyring.hash("", "mrn1")}
    assert len(hashes | {Keyring(OTHER_KEY).hash("mrn", "1")}) == 5


def test_a_key_file_is_made_once_and_only_its_owner_reads_it(tmp_path: Path) -> None:
    path = tmp_path / "secrets" / "ledger.key"
    make_key_file(path)
    first = path.read_text(encoding="ascii")
    make_key_file(path)
    assert path.read_text(encoding="ascii") == first
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert len(parse_key(first)) == 32


@pytest.mark.parametrize("text", ["", "not base64!", "ключ", base64.b64encode(bytes(16)).decode()])
def test_what_is_no_key_is_a_configuration_error(text: str) -> None:
    with pytest.raises(ConfigError, match="32 bytes") as caught:
        Keyring(parse_key(text))
    assert caught.value.problems[0].code == "key-length"


def test_a_keyring_remembers_only_persons_it_unwrapped() -> None:
    kept = PersonKeys(Keyring(KEY))
    plain, wrapped = Keyring(KEY).new_person_key()
    assert kept.add(1, wrapped) == plain
    assert keys.NONCE == 12
