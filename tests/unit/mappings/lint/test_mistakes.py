from __future__ import annotations

import re

import pytest

from bridge.mappings.lint import lint
from bridge.mappings.lint.codes import CODES
from bridge.mappings.load import load
from tests.unit.mappings.lint.mistakes import Mistake, mistakes, told

ALL = mistakes()
# Shown in the tests of the engine, of tables and of value sets.
NOT_SEEDED = {"FP09", "FP10", "FT08", "FT09", "FT10", "table-unreadable", "table-about", "table-overlap"} | {
    "mapping-value-set",
    "definitions-unreadable",
    "file-encoding",
    "case-shape",
}


@pytest.mark.parametrize("mistake", ALL, ids=[f"{one.topic}: {one.name}" for one in ALL])
def test_a_mistake_is_told_with_its_code_line_and_column(mistake: Mistake) -> None:
    assert told(lint(mistake.wrong)) == mistake.expect
    assert told(lint(mistake.right)) == ()
    load(mistake.right)


def test_there_are_many_kinds_of_mistake_and_each_has_its_place() -> None:
    codes = {re.search(r"\[([\w-]+)\](?: →|$)", line)[1] for one in ALL for line in one.expect}  # type: ignore[index]

    assert len(ALL) >= 100
    assert CODES.keys() - codes == NOT_SEEDED
    assert all(re.match(r"[\w/.-]+:\d+:\d+: ", line) for one in ALL for line in one.expect)


# What is wrong is not what was changed: another line says what is no longer so, or something is missing.
ELSEWHERE = {
    "YAML that breaks off",
    "a caregiver’s field in a part about the child",
    "a field left out on purpose that is read",
    "a for with other keys beside it",
    "a loop where FHIR takes one",
    "a name that nothing reads",
    "a part that may not exist",
    "a required element that never comes about",
    "a row no value of the source reaches",
    "a schema that is none",
    "a table file nothing lists",
    "an element the profile requires",
    "an enumeration outside it",
    "an enumeration the table does not cover",
    "two files of one kind",
}


def test_the_place_is_that_of_what_was_changed() -> None:
    """Where the change and its finding are in one file, it points into the lines that were changed."""
    elsewhere = []
    for one in ALL:
        (file,) = (name for name, text in one.wrong.items() if text != one.right[name])
        lines = zip(one.right[file].splitlines(), one.wrong[file].splitlines(), strict=False)
        changed = next((number for number, (old, new) in enumerate(lines, 1) if old != new), None)
        places = [line.split(":")[:2] for line in one.expect]
        if changed is not None and [file, str(changed)] not in places:
            elsewhere.append(one.name)

    assert set(elsewhere) <= ELSEWHERE
