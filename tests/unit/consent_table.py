"""The table of consent decisions, enumerated; `python -m tests.unit.consent_table` writes it into docs/consent.md."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from pathlib import Path

from bridge.consent import DAY, Subject, decide
from bridge.mappings.classes import CLASSES, GRANTABLE
from bridge.model import Authority, Consent, Decision

DOCUMENT = Path(__file__).parents[2] / "docs" / "consent.md"
BEGIN, END = "<!-- table: generated -->\n", "<!-- /table -->\n"
NOW = 1_780_000_000_000_000
PRACTICE, OTHER = "the practice named", "another practice"
PEOPLE = {
    "a minor": Subject(NOW + 1000 * DAY),
    "birth date not known": Subject(),
    "of age, signed before": Subject(NOW - 15 * DAY),
    "of age, signed since": Subject(NOW - 1000 * DAY),
    "18 today": Subject(NOW),
    "a minor, own services": Subject(NOW + 1000 * DAY, minor_consented=True),
}
FORM = (NOW - 30 * DAY, NOW + 30 * DAY)
TIMES: dict[str, tuple[int, int | None, int | None, int | None]] = {  # start, until, revoked, suspended
    "before its first instant": (NOW + 1, FORM[1], None, None),
    "at its first instant": (NOW, FORM[1], None, None),
    "in force": (*FORM, None, None),
    "in its last instant": (FORM[0], NOW + 1, None, None),
    "at its end": (FORM[0], NOW, None, None),
    "taken back now": (*FORM, NOW, None),
    "custody changed now": (*FORM, None, NOW),
}
SAYS = {
    "facts only": frozenset({"ordinary"}),
    "every class": GRANTABLE,
    "no": frozenset[str](),
}


@dataclass(frozen=True)
class Cell:
    """One case: a single form, whom it is about, who asks for what, when."""

    name: str
    says: str
    recipient: str
    authority: Authority
    person: str
    time: str

    def decision(self) -> Decision:
        """What the decision makes of it."""
        start, until, revoked, suspended = TIMES[self.time]
        form = Consent(
            1, "a", "k", PRACTICE, start, until, SAYS[self.says], revoked, suspended, authority=self.authority
        )
        return decide([form], self.recipient, NOW, PEOPLE[self.person])

    def leaves(self) -> bool:
        """Whether content of this class may leave."""
        return self.name in self.decision().classes


def cells() -> Iterator[Cell]:
    """Every case."""
    axes = (sorted(CLASSES), SAYS, (PRACTICE, OTHER), Authority, PEOPLE, TIMES)
    for name, says, recipient, authority, person, time in product(*axes):
        yield Cell(name, says, recipient, authority, person, time)


def rendered() -> str:
    """The section of the document."""
    lines = ["**Whether one form lets anything leave**, to the practice it names (to another: never).", ""]
    lines += ["| who signed | about | " + " | ".join(TIMES) + " |", "|---|---|" + "---|" * len(TIMES)]
    for authority, person in product(Authority, PEOPLE):
        row = [Cell("ordinary", "facts only", PRACTICE, authority, person, time).decision() for time in TIMES]
        said = " | ".join("**yes**" if found.permit else found.reason for found in row)
        lines.append(f"| {authority.value} | {person} | {said} |")
    lines += ["", "**What of it**, where it does:", "", "| class | " + " | ".join(SAYS) + " |"]
    lines.append("|---|" + "---|" * len(SAYS))
    for name in sorted(CLASSES):
        row_of = [Cell(name, says, PRACTICE, Authority.PARENT, "a minor", "in force").leaves() for says in SAYS]
        lines.append(f"| `{name}` | " + " | ".join("leaves" if one else "stays" for one in row_of) + " |")
    count = sum(1 for _ in cells())
    lines += ["", f"{count:,} cases (class x what the form says x recipient x who signed x about x when) are tested."]
    return "\n".join(lines) + "\n"


def written(text: str) -> str:
    """The document with its section as it should be."""
    before, _, rest = text.partition(BEGIN)
    return f"{before}{BEGIN}\n{rendered()}\n{END}{rest.partition(END)[2]}"


if __name__ == "__main__":
    DOCUMENT.write_text(written(DOCUMENT.read_text(encoding="utf-8")), encoding="utf-8")
