"""Delivery references: short, opaque, the same each time, and found again."""

from __future__ import annotations

import pytest

from bridge.ehr.delivery import PATTERN, delivery_reference, mentions

KEY = b"k" * 32


def test_a_reference_is_short_and_the_same_each_time() -> None:
    made = delivery_reference(KEY, "roble", "entry-1")
    assert PATTERN.fullmatch(made)
    assert made == delivery_reference(KEY, "roble", "entry-1")


def test_everything_it_stands_for_makes_another() -> None:
    made = {
        delivery_reference(KEY, "roble", "entry-1"),
        delivery_reference(KEY, "roble", "entry-2"),
        delivery_reference(KEY, "arce", "entry-1"),
        delivery_reference(b"l" * 32, "roble", "entry-1"),
        delivery_reference(KEY, "roble", "entry-1", replacement=1),
        delivery_reference(KEY, "roble\x1fentry", "1"),
    }
    assert len(made) == 6


def test_many_entries_share_none() -> None:
    assert len({delivery_reference(KEY, "roble", str(number)) for number in range(20_000)}) == 20_000


def test_a_guessable_key_is_refused() -> None:
    with pytest.raises(ValueError, match="16 bytes"):
        delivery_reference(b"short", "roble", "entry-1")


def test_a_text_mentions_exactly_its_reference() -> None:
    assert mentions("Contact note [DB-ABCDEFGHIJ23]", "DB-ABCDEFGHIJ23")
    assert mentions(b"\xff DB-ABCDEFGHIJ23.", "DB-ABCDEFGHIJ23")
    assert not mentions("DB-ABCDEFGHIJ23X", "DB-ABCDEFGHIJ23")
    assert not mentions("DB-ABCDEFGHIJ22", "DB-ABCDEFGHIJ23")


def test_a_document_that_names_an_earlier_one_is_not_taken_for_it() -> None:
    earlier, own = "DB-ABCDEFGHIJ22", "DB-ABCDEFGHIJ23"
    text = f"This note takes the place of the note with delivery reference {earlier}.\n--\nDelivery reference: {own}\n"
    assert mentions(text, own)
    assert not mentions(text, earlier)
    assert not mentions("no reference", own)
