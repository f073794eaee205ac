"""The note that tells a practice that no consent is in force any more: that alone, and from which day on.

It says nothing of why, of who, or of what is not sent: a revocation, a refusal and a change of custody are told in the
same words. It retracts nothing.
"""

from __future__ import annotations

from html import escape

from bridge.documents.words import Words
from bridge.mappings.canonical import PROGRAM_SYSTEM, agency_system
from bridge.mappings.classes import ORDINARY
from bridge.mappings.identity import person_id, stable_id
from bridge.model import CONSENT_ENDED, Decision, Part
from bridge.release.withhold import shown_at_once
from bridge.settings import Practice

TOLD = Decision(True, frozenset({ORDINARY}), "consent-ended")
"""What the note rests on: nothing of the family's leaves with it, so no consent is asked for."""
TYPE = {"system": "http://loinc.org", "code": "34109-9", "display": "Note"}
"""US Core 6.1.0, us-core-documentreference-type (LOINC), as in hl7.fhir.us.core 6.1.0; a site can name its own under
`document.types`, by the kind `bridge/consent-ended`."""


def note(
    agency: str, agency_name: str, program: str, person: str, thread: str, day: str, date: str, tongue: str
) -> Part:
    """The note about `person` (the agency's id): consent ended on `day`; `date` is its own, `tongue` its language.

    It follows from these alone: planned again it is the same note.
    """
    say = Words(tongue)
    lines = (f"{say('ended-since')} {day}.", say("ended-after"), say("ended-before"))
    words = "<br/>".join(map(escape, lines))
    spoken = f' xml:lang="{say.language}" lang="{say.language}"'
    resource = {
        "resourceType": "Composition",
        "id": stable_id(agency, CONSENT_ENDED, thread, "note"),
        "meta": {"source": agency_system(agency), "tag": [{"system": PROGRAM_SYSTEM, "code": program}]},
        "status": "final",
        "type": {"coding": [TYPE]},
        "title": say("ended-title"),
        "subject": {"reference": f"Patient/{person_id(agency, person)}"},
        "date": date,
        "author": [{"display": agency_name}],
        "section": [
            {
                "title": say("ended-title"),
                "text": {
                    "status": "additional",
                    "div": f'<div xmlns="http://www.w3.org/1999/xhtml"{spoken}><p>{words}</p></div>',
                },
            }
        ],
    }
    return Part("note", person, "", resource, sections=(frozenset({ORDINARY}),))


def may_tell(told: Part, practice: Practice, *, part2: bool, in_danger: bool) -> bool:
    """Whether the note may go into the chart; else the practice's own page tells alone.

    Not where the practice asked for that; not of a Part 2 program's client, of whom nothing more may be said (42 CFR
    §2.13); not where somebody of the family must not be found, or the practice's portal shows such a note at once: a
    proxy who reads there learns who took something back.
    """
    shown = shown_at_once([told], CONSENT_ENDED, practice)
    return practice.consent_ended == "chart" and not (part2 or in_danger or shown)
