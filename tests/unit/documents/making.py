"""Synthetic documents: a contact and a care plan, in two languages, long, minimal and amended."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from html import escape
from typing import Any

from bridge.documents.compose import ASK, SECTIONS, Frame, compose
from bridge.documents.content import Document, Earlier
from bridge.documents.disregarding import disregarding
from bridge.documents.several import compose_several
from bridge.model import Part, type_json

REFERENCE = "DB-ABCDEFGHIJ23"
GOAL_ES = "Que mi niña duerma toda la noche — “sin miedo”,\ny que vaya a la escuelita   con <gusto> & calma."
GOAL_EN = 'We want her to say "mama" again.'


def part(name: str, resource: type_json) -> Part:
    return Part(name, "child-1", "child", resource)


def section(title: str, *texts: str, language: str = "", ask: bool = False, entry: tuple[str, ...] = ()) -> type_json:
    """A Composition section with our narrative, references, or both."""
    found: type_json = {"title": title}
    if ask:
        found["code"] = {"coding": [{"system": SECTIONS, "code": ASK}]}
    if texts:
        spoken = f' xml:lang="{language}" lang="{language}"' if language else ""
        lines = (escape(text, quote=False).replace("\r", "&#13;").replace("\n", "<br/>") for text in texts)
        div = "".join(f"<p>{line}</p>" for line in lines)
        found["text"] = {
            "status": "additional",
            "div": f'<div xmlns="http://www.w3.org/1999/xhtml"{spoken}>{div}</div>',
        }
    if entry:
        found["entry"] = [{"reference": reference} for reference in entry]
    return found


def note(*sections: type_json, **more: Any) -> Part:
    return part(
        "note",
        {
            "resourceType": "Composition",
            "id": "n",
            "status": "final",
            "date": "2026-03-04T17:00:00-05:00",
            "title": "Contact with the family",
            "author": [{"display": "Family partner (parent peer support)"}, {"display": "Intensive care coordinator"}],
            "section": list(sections),
            **more,
        },
    )


ENCOUNTER = part(
    "encounter",
    {
        "resourceType": "Encounter",
        "id": "e",
        "status": "finished",
        "class": {"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "HH"},
        "type": [{"text": "Joint home visit"}],
        "period": {"start": "2026-03-04T20:30:00Z", "end": "2026-03-04T21:10:00Z"},
        "participant": [
            {"type": [{"text": "parent"}], "individual": {"display": "Mother"}},
            {"individual": {"display": "Family partner"}},
        ],
    },
)
GOALS = (
    part(
        "goal-1",
        {
            "resourceType": "Goal",
            "id": "g1",
            "language": "es",
            "lifecycleStatus": "active",
            "description": {"text": GOAL_ES},
            "expressedBy": {"display": "la mamá"},
            "startDate": "2025-09-01",
            "target": [{"dueDate": "2026-02-01"}],
            "achievementStatus": {"text": "improving"},
        },
    ),
    part(
        "goal-2",
        {
            "resourceType": "Goal",
            "id": "g2",
            "lifecycleStatus": "completed",
            "description": {"text": GOAL_EN},
            "target": [{"dueDate": "2026-01-01"}],
        },
    ),
)
PLAN = part(
    "plan",
    {
        "resourceType": "CarePlan",
        "id": "cp",
        "status": "active",
        "title": "Individual care plan",
        "period": {"start": "2025-09-01", "end": "2026-02-28"},
        "activity": [
            {"detail": {"description": "Weekly home visits"}},
            {"reference": {"display": "Referral to Head Start"}},
        ],
    },
)
TEAM = part(
    "team",
    {
        "resourceType": "CareTeam",
        "id": "t",
        "status": "active",
        "name": "Roble dyad",
        "participant": [
            {"role": [{"text": "Care coordinator"}], "member": {"display": "Ana Robles"}},
            {"role": [{"text": "Family partner"}]},
            {"role": [{"text": "Clinician"}], "member": {"display": "Lee Moss"}, "period": {"end": "2026-01-15"}},
        ],
    },
)


def frame(language: str = "en") -> Frame:
    return Frame(REFERENCE, "Roble Family Services", "America/New_York", language, "Ana Robles", "555-0100")


def contact(language: str) -> Document:
    """A contact whose narrative was released."""
    said = section("What happened", "Mom said the nights are better.\nShe cried.", "Next visit on Friday.")
    wish = section("In the family's words", "“Ya duerme”, dijo la mamá.", language="es")
    ask = section("For the clinician", "Please check her hearing at the next visit.", ask=True)
    facts = section("The contact", entry=("Encounter/e",))
    return compose([note(ask, facts, said, wish), ENCOUNTER], frame(language))


def plan(language: str) -> Document:
    """A care plan with goals in the family's words, a team with a vacancy, and dates that have passed."""
    goals = section("Metas de la familia", entry=("Goal/g1", "Goal/g2", "Goal/withheld"))
    sections = (section("The plan", entry=("CarePlan/cp",)), goals, section("Who", entry=("CareTeam/t",)))
    return compose([note(*sections, title="Care plan"), PLAN, *GOALS, TEAM], frame(language))


def parts(language: str) -> Document:
    """A Composition without sections: its parts tell it."""
    return compose([note(title="Summary"), ENCOUNTER, PLAN, *GOALS, TEAM], frame(language))


def minimal(language: str) -> Document:
    """Next to nothing, as an agency without times or narrative sends it."""
    bare = part("note", {"resourceType": "Composition", "date": "2026-03-04", "section": [{"title": "Withheld"}]})
    return compose([bare], Frame(REFERENCE, "Roble", "America/New_York", language))


def amended(language: str) -> Document:
    """A correction."""
    return compose([note(section("What happened", "The visit was on Thursday."), status="amended")], frame(language))


def long(language: str) -> Document:
    """Many paragraphs in both languages, with what breaks careless renderers."""
    texts = [f"{number}. <b>No</b> &amp; 'so' \"on\" — ñandú 😀\ttab  two  spaces" for number in range(60)]
    return compose([note(section("Largo", *texts, language="es"))], frame(language))


OBSERVATION = part(
    "score",
    {
        "resourceType": "Observation",
        "id": "o",
        "identifier": [{"system": "urn:dyad-bridge:roble", "value": "ma-soc/screening/s-1/score"}],
        "status": "final",
        "code": {"text": "Social-emotional screener, 24 months"},
        "valueInteger": 65,
        "interpretation": [{"text": "above the cutoff"}],
        "effectiveDateTime": "2026-03-04T15:45:00-05:00",
    },
)
CONCERN = part(
    "concern",
    {
        "resourceType": "Condition",
        "id": "c",
        "clinicalStatus": {"coding": [{"code": "active"}]},
        "code": {"coding": [{"system": "http://snomed.info/sct", "code": "73595000", "display": "Stress"}]},
        "onsetDateTime": "2025-11-02",
    },
)
REQUEST = part(
    "request",
    {
        "resourceType": "ServiceRequest",
        "id": "r",
        "status": "active",
        "code": {"text": "Food pantry"},
        "performer": [{"display": "Mystic Valley Pantry"}],
        "authoredOn": "2026-02-11",
    },
)
TASK = part(
    "task",
    {
        "resourceType": "Task",
        "id": "t1",
        "status": "rejected",
        "description": "Family partner for the parents",
        "statusReason": {"text": "unable to reach the family, three calls"},
        "lastModified": "2026-03-04T12:00:00-05:00",
    },
)
SCRIPTS = (
    "\u0645\u0631\u062d\u0628\u0627 \u0628\u0643\u0645 \u0641\u064a \u0628\u064a\u062a\u0646\u0627, 12 (abc)",
    "\u05e9\u05dc\u05d5\u05dd \u05dc\u05db\u05d5\u05dc\u05dd",
    "\u1781\u17d2\u1798\u17c2\u179a \u12a0\u121b\u122d\u129b Kreyòl: n ap byen, mèsi",
    "Tiếng Việt: con đẹp lắm \U0001f600 \u2764\ufe0f \U0001f468\u200d\U0001f469\u200d\U0001f467 \U0001f9f8 done",
    "C:\\{new}\\par \\'e9 \\u8364? #set x $y$ *bold* _it_ @ref <tag/> & &amp; ]]> -- ... 'q' \"Q\" 1/2 fi ffl",
    "a word of " + "w" * 130 + " letters",
)
"""Words that break careless renderers: from right to left, outside the basic plane, and in each format's own markup."""


def screening(language: str) -> Document:
    """A screening's result and what was discussed."""
    facts = section("The screening", entry=("Observation/o", "Condition/c"))
    ask = section("Ask", "Por favor, revise el resultado con la familia.", language="es", ask=True)
    return compose(
        [note(ask, facts, section("What was discussed", "Dad asks for a referral.")), OBSERVATION, CONCERN],
        frame(language),
    )


def referral(language: str) -> Document:
    """What became of the practice's referral."""
    sections = (section("Your referral", entry=("Task/t1",)), section("What we asked for", entry=("ServiceRequest/r",)))
    return compose([note(*sections, title="Answer to your referral"), TASK, REQUEST], frame(language))


def roll_up(language: str) -> Document:
    """Two contacts on one day, one of another week that asks, and one that was taken back."""
    return compose_several(week(), frame(language))


def week(status: str = "final", *more: type_json) -> list[list[Part]]:
    """The parts of the records of a roll-up, in no order."""
    first = section("What happened", "We read the bear book.", *("Sin miedo.",))
    second = section("What happened", "Called again in the evening.")
    ask = section("For you", "Please call the family about the hearing test.", ask=True)
    return [
        [
            note(
                ask, section("What happened", "Third."), *more, id="n3", date="2026-03-11T09:00:00-04:00", status=status
            )
        ],
        [
            note(section("The contact", entry=("Encounter/e",)), first, id="n1", date="2026-03-04T09:00:00-05:00"),
            ENCOUNTER,
        ],
        [note(second, id="n2", date="2026-03-04T20:00:00-05:00", author=[{"display": "Family partner"}])],
        [note(section("Wrong child", "Not this family."), id="n4", date="2026-03-10", status="entered-in-error")],
    ]


def scripts(language: str) -> Document:
    """Words in many scripts, with signs, and in the markup of every format."""
    return compose([note(section("In their words", *SCRIPTS))], frame(language))


def paragraphs(count: int) -> list[str]:
    return [f'{number}. Caminamos al parque — y ella dijo "mamá" dos veces.' for number in range(count)]


def varied(*parts: Part, title: str) -> dict[str, Callable[[str], Document]]:
    """A kind of document long, minimal and amended; the first part is its Composition."""
    bare, rest = parts[0].resource, parts[1:]
    sections = bare["section"]
    more = section("Largo", *paragraphs(70), language="es")

    def document(**changes: Any) -> Callable[[str], Document]:
        return lambda language: compose([part("note", {**bare, "title": title, **changes}), *rest], frame(language))

    return {
        "long": document(section=[*sections, more]),
        "minimal": document(section=sections[:1], author=[], date="2026-03-04"),
        "amended": document(status="amended"),
    }


BASES: dict[str, dict[str, Callable[[str], Document]]] = {
    "plan": varied(
        note(section("Goals", entry=("Goal/g1",)), section("The plan", entry=("CarePlan/cp",))),
        *GOALS,
        PLAN,
        title="Care plan",
    ),
    "screening": varied(note(section("The screening", entry=("Observation/o",))), OBSERVATION, title="Screening"),
    "referral": varied(note(section("Your referral", entry=("Task/t1",))), TASK, title="Answer to your referral"),
    "roll-up": {
        "long": lambda language: compose_several(
            week("final", section("Largo", *paragraphs(70), language="es")), frame(language)
        ),
        "minimal": lambda language: compose_several([[note(author=[], title="")]], frame(language)),
        "amended": lambda language: compose_several(week("amended"), frame(language)),
    },
}
EARLIER = Earlier("DB-ABCDEFGHIJ22", "2026-03-02T09:00:00-05:00")


def superseding(language: str) -> Document:
    """A correction where the note it takes the place of stays as it was."""
    return compose([note(section("What happened", "On Thursday."))], replace(frame(language), earlier=EARLIER))


def disregarded(language: str) -> Document:
    """What asks to disregard a note that cannot be marked."""
    return disregarding(EARLIER, "2026-03-05T12:00:00-05:00", frame(language))


DOCUMENTS: dict[str, Callable[[str], Document]] = {
    "contact": contact,
    "plan": plan,
    "parts": parts,
    "minimal": minimal,
    "amended": amended,
    "long": long,
    "screening": screening,
    "referral": referral,
    "roll-up": roll_up,
    "scripts": scripts,
    "superseding": superseding,
    "disregarding": disregarded,
    **{f"{name}-{variant}": made for name, variants in BASES.items() for variant, made in variants.items()},
}
"""Every kind, and each of them long, minimal and amended (those of a contact are the ones without a kind's name)."""
