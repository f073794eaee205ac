"""The note that sharing ended: what it says, in two languages, and where it would tell too much."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from bridge.release import ended
from bridge.settings import Coding, Contact, DocumentSettings, Practice
from tests.unit.release.making import words

PRACTICE = Practice("maple", "Maple", "ehr", Contact("Lee", "lee@maple.example"), date(2026, 1, 1), "America/New_York")
NOTE = ended.note("harbor", "Harbor", "outcomes", "c-1", "harbor/x/1", "2026-03-01", "2026-03-01", "en")


def test_it_says_that_it_ended_and_since_when_and_no_more() -> None:
    assert words(NOTE) == [
        "The consent to share this patient's records with you is not in force any more, since 2026-03-01.\n"
        "Nothing further will be sent under it.\n"
        "What was sent before was true when it was sent, and stays."
    ]
    assert NOTE.sections == (frozenset({"ordinary"}),)
    again = ended.note("harbor", "Harbor", "outcomes", "c-1", "harbor/x/1", "2026-03-01", "2026-03-01", "en")
    assert again == NOTE, "planned again it is the same"
    spanish = ended.note("harbor", "Harbor", "outcomes", "c-1", "harbor/x/1", "2026-03-01", "2026-03-01", "es")
    assert "ya no está vigente, desde el 2026-03-01." in words(spanish)[0]


def test_it_goes_into_the_chart_where_nothing_speaks_against_it() -> None:
    assert ended.may_tell(NOTE, PRACTICE, part2=False, in_danger=False)


@pytest.mark.parametrize(
    "why", ["not asked for", "part 2", "in danger", "shown at once", "shown at once as the site's"]
)
def test_else_the_page_tells_alone(why: str) -> None:
    """A proxy who reads the portal learns that somebody took something back; a Part 2 client is not spoken of."""
    practice = PRACTICE
    if why == "not asked for":
        practice = replace(practice, consent_ended="page")
    elif why == "shown at once":
        practice = replace(practice, document=DocumentSettings(released_at_once=frozenset({"34109-9"})))
    elif why == "shown at once as the site's":
        types = {"bridge/consent-ended": Coding("http://loinc.org", "11506-3")}
        practice = replace(practice, document=DocumentSettings(types=types, released_at_once=frozenset({"11506-3"})))
    assert not ended.may_tell(NOTE, practice, part2=why == "part 2", in_danger=why == "in danger")
