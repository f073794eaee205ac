"""Sources made up for the tests of drafts, and drafts of them."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping
from typing import Any

from bridge.intake.rows import Limits, Row
from bridge.jobs.sheets import read_csv
from bridge.mappings.draft import Drafted, draft
from bridge.mappings.draft.columns import Column
from bridge.mappings.load import Mappings, load
from bridge.mappings.source import read

KIND = "visits/contact-log"

HEADER = [
    "contact_id",
    "client",
    "mother_id",
    "visit_date",
    "ended",
    "place",
    "contact_type",
    "minutes",
    "language",
    "interpreter",
    "status",
    "worker",
    "what_happened",
    "safety_concern",
    "phone",
]


def contacts(count: int = 40) -> list[dict[str, str]]:
    """A visiting program's contact log: every field of words holds CANARY."""
    places, types = ("home", "clinic", "school", "phone"), ("visit", "call", "no answer")
    return [
        {
            "contact_id": f"C-{1000 + number}",
            "client": f"K{number % 9:02d}",
            "mother_id": f"M{number % 9:02d}",
            "visit_date": f"2026-02-{number % 28 + 1:02d} 1{number % 8}:30",
            "ended": f"2026-02-{number % 28 + 1:02d} 1{number % 8}:55" if number % 5 else "",
            "place": places[number % 4],
            "contact_type": types[number % 3],
            "minutes": str(20 + number % 3 * 5) if number % 4 else "",
            "language": ("en", "es")[number % 2],
            "interpreter": ("yes", "no")[number % 2],
            "status": ("draft", "signed", "signed", "void")[number % 4],
            "worker": ("CANARY Quill", "CANARY Ortiz")[number % 2],
            "what_happened": f"CANARY and I talked for a while about sleep, {number}.",
            "safety_concern": ("CANARY-neighbour", "")[number % 2],
            "phone": f"555-01{number:02d}",
        }
        for number in range(count)
    ]


def told(rows: Iterable[Mapping[str, str]], header: Iterable[str] = HEADER) -> str:
    """The rows as CSV."""
    text = io.StringIO()
    writer = csv.DictWriter(text, list(header), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def rows_of(text: str) -> list[dict[str, Any]]:
    """The records a CSV is read as; every row must be one."""
    found = list(read_csv(text, "source.csv", Limits()))
    assert all(isinstance(row, Row) for row in found), found
    return [row.record for row in found if isinstance(row, Row)]


def drafted(rows: Iterable[Mapping[str, Any]], **options: Any) -> Drafted:
    """The draft of some rows, empty cells left out as the readers do."""
    kept = [{name: value for name, value in row.items() if value != ""} for row in rows]
    return draft(kept, options.pop("kind", KIND), options.pop("source", "contact-log.csv"), **options)


def kind_file(made: Drafted) -> dict[str, Any]:
    """The values of the drafted kind file."""
    name = made.kind.split("/")[-1]
    value = read("kind", made.files[f"{name}.kind.yaml"], []).value
    assert isinstance(value, dict)
    return value


def loaded(made: Drafted) -> Mappings:
    """The draft as it stands, loaded as a pack."""
    pack = made.kind.split("/")[0]
    return load({f"{pack}/{path}": text for path, text in made.files.items()})


def column(made: Drafted, name: str) -> Column:
    (found,) = [one for one in made.columns if one.dotted == name]
    return found
