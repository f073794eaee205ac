"""Recording what a family agreed to and which chart is whose, from the forms of several pages."""

from __future__ import annotations

from dataclasses import dataclass

from bridge.access import Action
from bridge.console.desk import Desk, require
from bridge.console.signing import Visitor
from bridge.errors import ConfigError, Problem
from bridge.jobs import consents, rosters
from bridge.moves import answering, granting

REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Given:
    """A consent as a form has it: days as YYYY-MM-DD, `until` the last day or "", `narrative` yes, no, refused or "".

    `classes` are what may leave beside facts and notes; `authority` is by which right `grantor` signed, "" unsaid.
    """

    agency: str
    person: str
    practice: str
    start: str
    until: str
    narrative: str
    classes: tuple[str, ...] = ()
    grantor: str = ""
    authority: str = ""
    language: str = ""
    form: str = ""

    def cells(self) -> dict[str, str]:
        """The same as a list has it."""
        refused = self.narrative == REFUSED
        return {
            "agency": self.agency,
            "person": self.person,
            "practice": self.practice,
            "from": self.start,
            "until": self.until,
            "narrative": "" if refused else self.narrative,
            "classes": " ".join((*([rosters.NONE] if refused else []), *self.classes)),
            "grantor": self.grantor,
            "authority": self.authority,
            "language": self.language,
            "form": self.form,
        }


def give(at: Desk, who: Visitor, given: Given) -> str:
    """The consent is recorded; the word for what the page then says. Raises ConfigError for a form that is not whole.

    A consent of the same person, practice and grantor from the same first day replaces what was said before.
    """
    require(at, who, Action.CONSENT, given.agency)
    if given.narrative not in ("yes", "no", REFUSED):
        rule = "say whether what was written in words may be read by the practice"
        raise ConfigError(Problem("consent-narrative", rule, "answer", "narrative"))
    if given.until and given.until < given.start:
        raise ConfigError(Problem("consent-until", "the last day lies before the first", "answer", "until"))
    by, now = who.principal.name, at.clock()
    new = consents.give(at.line, given.cells(), by, now)
    answering.note(at.line, given.agency, by, "consent-give", f"person {given.person} practice {given.practice}", now)
    return "consent-given" if new else "consent-known"


def suspend(at: Desk, who: Visitor, agency: str, person: str) -> str:
    """Who may consent for the person changed: what others signed is suspended, and it is asked who may now."""
    require(at, who, Action.CONSENT, agency)
    by, now = who.principal.name, at.clock()
    suspended = granting.suspend(at.line, agency, person, now)
    answering.note(at.line, agency, by, "consent-suspend", f"person {person}", now)
    return "consent-suspended" if suspended else "consent-none"


def end(at: Desk, who: Visitor, agency: str, person: str, practice: str) -> str:
    """The person's consents for this practice end now."""
    require(at, who, Action.CONSENT, agency)
    if practice not in at.line.project.agencies[agency].practices:
        return "consent-none"  # what was sent instead must not come to stand in the trail
    by, now = who.principal.name, at.clock()
    ended = granting.revoke(at.line, agency, person, practice, by, now)
    answering.note(at.line, agency, by, "consent-revoke", f"person {person} practice {practice}", now)
    return "consent-ended" if ended else "consent-none"


def link(at: Desk, who: Visitor, agency: str, person: str, practice: str, number: tuple[str, str], patient: str) -> str:
    """The person's chart at this practice is noted. Raises ConfigError for a form that is not whole."""
    require(at, who, Action.LINK, agency)
    if practice not in at.line.project.agencies[agency].practices:
        raise ConfigError(Problem("link-practice", "choose the practice", "answer", "practice"))
    by, now = who.principal.name, at.clock()
    new = answering.confirm_link(at.line, agency, person, practice, number, patient, by, now)
    return "link-made" if new else "link-again"
