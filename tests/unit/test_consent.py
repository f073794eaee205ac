"""R26: nothing leaves without a consent in force of somebody who may give it; of several the narrowest counts."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from bridge.consent import DAY, WHY, Subject, adult_from, decide
from bridge.mappings.classes import CLASSES, GRANTABLE
from bridge.model import Authority, Consent, Decision, Purpose

NOW = 1_780_000_000_000_000
FACTS, WORDS = frozenset({"ordinary"}), frozenset({"ordinary", "narrative"})
MINOR, ADULT = Subject(NOW + 100 * DAY), Subject(NOW - 100 * DAY)


def form(number: int = 1, classes: frozenset[str] = WORDS, **changes: Any) -> Consent:
    """A form in force for a year since ten days ago."""
    return replace(Consent(number, "a", "k", "elm", NOW - 10 * DAY, NOW + 355 * DAY, classes), **changes)


def by(number: int, grantor: str, authority: Authority = Authority.PARENT, **changes: Any) -> Consent:
    return form(number, grantor=grantor, authority=authority, **changes)


def test_without_a_consent_nothing_leaves() -> None:
    assert decide([], "elm", NOW) == Decision(False, frozenset(), "none")
    assert decide([form(practice="oak")], "elm", NOW).reason == "none"


def test_what_it_names_leaves_and_when_that_may_change_is_known() -> None:
    assert decide([form()], "elm", NOW) == Decision(True, WORDS, "in-force", (1,), until=NOW + 355 * DAY)
    assert decide([form(until=None)], "elm", NOW).until is None
    assert decide([form(until=None)], "elm", NOW, MINOR).until == MINOR.adult_from


@pytest.mark.parametrize(("end", "reason"), [("until", "expired"), ("revoked", "revoked"), ("suspended", "suspended")])
def test_the_end_itself_is_the_first_instant_without(end: str, reason: str) -> None:
    ended = replace(form(), **{end: NOW})  # type: ignore[arg-type]
    assert decide([ended], "elm", NOW - 1).permit
    assert decide([ended], "elm", NOW) == Decision(False, frozenset(), reason)


def test_one_that_begins_later_says_when() -> None:
    later = form(start=NOW + DAY)
    assert decide([later], "elm", NOW) == Decision(False, frozenset(), "begins-later", from_later=NOW + DAY)
    assert decide([later], "elm", NOW + DAY).permit
    assert decide([form(until=NOW), later], "elm", NOW).from_later == NOW + DAY


def test_of_one_grantor_the_latest_signed_counts_alone() -> None:
    narrower = form(2, FACTS, start=NOW - DAY)
    assert decide([form(), narrower], "elm", NOW).classes == FACTS
    assert decide([form(), replace(narrower, until=NOW)], "elm", NOW).reason == "expired"
    assert decide([form(), replace(narrower, revoked=NOW)], "elm", NOW).reason == "revoked"
    same_day = [form(1, FACTS, recorded=1), form(2, WORDS, recorded=2)]
    assert decide(same_day, "elm", NOW).classes == WORDS
    assert decide([form(), form(2, frozenset())], "elm", NOW).reason == "refused"


def test_what_was_signed_before_it_was_taken_back_does_not_bring_it_back() -> None:
    taken = form(1, revoked=NOW - DAY)
    assert decide([taken, form(2, start=NOW - 2 * DAY, recorded=NOW)], "elm", NOW).reason == "revoked"
    assert decide([taken, form(2, start=NOW - 2 * DAY + 1)], "elm", NOW).permit


def test_of_several_grantors_the_narrower() -> None:
    both = [by(1, "p-1", classes=WORDS), by(2, "p-2", classes=frozenset({"ordinary", "substance-use"}))]
    assert decide(both, "elm", NOW).classes == FACTS
    assert decide(both, "elm", NOW).consents == (1, 2)
    assert not decide([by(1, "p-1"), by(2, "p-2", classes=frozenset())], "elm", NOW).permit
    assert decide([by(1, "p-1"), by(2, "p-2", revoked=NOW)], "elm", NOW).reason == "revoked"
    assert decide([by(1, "p-1"), by(2, "p-2", until=NOW)], "elm", NOW).consents == (1,)


def test_after_an_unnamed_form_was_taken_back_a_named_person_can_consent() -> None:
    taken = form(1, revoked=NOW - DAY)
    assert not decide([taken, by(2, "p-1")], "elm", NOW).permit
    assert decide([taken, by(2, "p-1", start=NOW - DAY)], "elm", NOW).permit
    assert not decide([replace(taken, grantor="p-2"), by(2, "p-1", start=NOW - DAY)], "elm", NOW).permit


@pytest.mark.parametrize("authority", [Authority.PARENT, Authority.GUARDIAN, Authority.STATE, Authority.UNSTATED])
def test_nobody_speaks_for_an_adult(authority: Authority) -> None:
    birthday = NOW + 5 * DAY
    given = [form(authority=authority)]
    assert decide(given, "elm", birthday - 1, Subject(birthday)).permit
    assert decide(given, "elm", birthday, Subject(birthday)).reason == "adult"
    refused = form(authority=authority, classes=frozenset())
    assert decide([refused, form(2, authority=Authority.SELF)], "elm", NOW, ADULT).permit


def test_an_adult_consents_themselves_also_where_the_form_does_not_say() -> None:
    since = Subject(NOW - 20 * DAY)
    assert decide([form(authority=Authority.SELF)], "elm", NOW, since).permit
    assert decide([form()], "elm", NOW, since).permit
    assert decide([form(start=NOW - 30 * DAY)], "elm", NOW, since).reason == "adult"
    assert decide([form(authority=Authority.SELF, start=NOW - 30 * DAY)], "elm", NOW, since).reason == "adult"


def test_a_minors_yes_is_not_enough_and_their_no_counts() -> None:
    assert decide([form(authority=Authority.SELF)], "elm", NOW, MINOR).reason == "minor"
    mother = by(1, "p-1")
    assert decide([mother, form(2, FACTS, authority=Authority.SELF)], "elm", NOW, MINOR).classes == WORDS
    assert decide([mother, form(2, frozenset(), authority=Authority.SELF)], "elm", NOW, MINOR).reason == "refused"


def test_what_a_minor_consented_to_themselves_only_they_release() -> None:
    own = replace(MINOR, minor_consented=True)
    assert decide([by(1, "p-1")], "elm", NOW, own).reason == "own-consent"
    assert decide([form()], "elm", NOW, replace(own, adult_from=None)).reason == "own-consent"
    assert decide([by(1, "p-1", classes=frozenset()), form(2, authority=Authority.SELF)], "elm", NOW, own).permit


def test_while_the_state_has_custody_parents_do_not_consent() -> None:
    state = by(2, "dcf", Authority.STATE, classes=FACTS)
    assert decide([by(1, "p-1"), form(3), state], "elm", NOW).consents == (2,)
    assert decide([by(1, "p-1"), replace(state, until=NOW)], "elm", NOW).reason == "state-custody"
    assert decide([by(1, "p-1"), replace(state, suspended=NOW)], "elm", NOW).consents == (1,)
    assert decide([by(1, "g-1", Authority.GUARDIAN), state], "elm", NOW).consents == (1, 2)


def test_one_for_another_purpose_does_not_cover() -> None:
    assert decide([form(purpose=Purpose.TREATMENT)], "elm", NOW).reason == "other-purpose"
    assert decide([form(purpose=Purpose.TREATMENT)], "elm", NOW, purpose=Purpose.TREATMENT).permit


def test_part_2_needs_who_signed_by_which_right_and_the_form() -> None:
    classes = frozenset({"ordinary", "substance-use"})
    assert not decide([form(classes=classes)], "elm", NOW).part2
    written = by(1, "p-1", classes=classes, document="file 12")
    assert decide([written], "elm", NOW).part2
    assert not decide([written, by(2, "p-2", classes=classes)], "elm", NOW).part2


def test_of_age_from_the_first_instant_of_the_day_there() -> None:
    assert adult_from("2008-03-02", "America/New_York") == 1_772_427_600_000_000  # 2026-03-02T05:00:00Z
    assert adult_from("2008-02-29", "UTC") == adult_from("2008-03-01", "UTC")
    assert adult_from("2008", "UTC") == adult_from("2008-01-01", "UTC")
    assert adult_from("2008-03", "UTC") == adult_from("2008-03-01", "UTC")
    assert adult_from("", "UTC") is None


def test_every_reason_has_words_and_every_class_is_grantable_or_not() -> None:
    assert GRANTABLE < CLASSES
    assert {"in-force"}.isdisjoint(WHY)
