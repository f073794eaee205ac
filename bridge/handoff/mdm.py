"""A document as an HL7 v2.5.1 MDM message.

Sources: HL7 v2.5.1 chapters 9 (T02, T10, T11, TXA; tables 0271 and 0273), 3 (PID, PV1) and 7 (OBX; tables 0191 and
0291), seen 2026-11. A correction is a replacement (T10): a document of its own, with the one it takes the place of as
its parent, which then is obsolete; an edit (T08) is for what no reader has seen yet. A document that should not stand
is cancelled (T11): the standard keeps T11 for documents not available yet, and engines delete by it those that are (as
Patients Know Best documents, page "MDM T11", seen 2026-11), for nothing else withdraws one.
"""

from __future__ import annotations

import base64
from dataclasses import dataclass

from bridge.documents.moments import stamp
from bridge.handoff import er7
from bridge.handoff.over import HandOver, Person
from bridge.model import Action

VERSION = "2.5.1"
TRIGGERS = {Action.CREATE: "T02", Action.REPLACE: "T10", Action.RETRACT: "T11"}
STRUCTURES = {"T02": "MDM_T02", "T10": "MDM_T02", "T11": "MDM_T01"}
SEXES = {"male": "M", "female": "F", "other": "O", "unknown": "U"}  # table 0001
AUTHENTICATED, AVAILABLE, CANCELLED = "AU", "AV", "CA"  # tables 0271 and 0273
TYPES = {  # of ED: type of data and subtype (tables 0191 and 0291)
    "application/pdf": ("AP", "PDF"),
    "text/plain": ("TEXT", "plain"),
}
XML = ("TEXT", "XML")


@dataclass(frozen=True, slots=True)
class Names:
    """How the two sides of an interface call themselves (MSH-3 to 6), and in which mode it runs (MSH-11)."""

    sending: tuple[str, str] = ("DYADBRIDGE", "")  # application, facility
    receiving: tuple[str, str] = ("", "")
    processing: str = "P"  # P production, T training, D debugging
    authority: str = ""  # assigning authority of the practice's numbers (PID-3.4); "" = the roster's system


def message(over: HandOver, names: Names) -> bytes:
    """The message in UTF-8, its segments ended by carriage returns: the same hand-over gives the same bytes."""
    trigger = TRIGGERS[over.action]
    made = er7.instant(over.made)
    lines = [
        er7.header(
            {
                3: er7.text(names.sending[0]),
                4: er7.text(names.sending[1]),
                5: er7.text(names.receiving[0]),
                6: er7.text(names.receiving[1]),
                7: made,
                9: er7.composite("MDM", trigger, STRUCTURES[trigger]),
                10: over.control,
                11: names.processing,
                12: VERSION,
                18: er7.CHARSET,
            }
        ),
        er7.segment("EVN", {1: trigger, 2: made}),
        patient(over.patient, names.authority),
        er7.segment("PV1", {1: "1", 2: "N"}),  # table 0004: not applicable; never a visit of the practice's own
        document(over, made),
    ]
    if not over.cancels:
        lines.append(content(over))
    return (er7.END.join(lines) + er7.END).encode()


def patient(person: Person, authority: str) -> str:
    """Whose chart it is, by the practice's own number."""
    oid = person.system.removeprefix("urn:oid:")
    assigned = [authority] if authority else ["", oid, "ISO"] if oid != person.system else [person.system]
    number = er7.text(person.value), er7.SUBCOMPONENT.join(map(er7.text, assigned))
    return er7.segment(
        "PID",
        {
            1: "1",
            3: f"{number[0]}^^^{number[1]}^MR",
            5: er7.composite(person.family, *person.given[:1], " ".join(person.given[1:]), "", "", "", "L"),
            7: stamp(person.birth_date),
            8: SEXES.get(person.gender, ""),
        },
    )


def document(over: HandOver, made: str) -> str:
    """What document it is, which one it takes the place of, and whether it is to be read."""
    written = er7.REPETITION.join(f"^{er7.text(name)}" for name in over.authors)
    return er7.segment(
        "TXA",
        {
            1: "1",
            2: er7.text(over.type[0] or over.kind.partition("/")[2]),  # IS: one code, without its system
            3: data_type(over.mime)[0] if not over.cancels else "",
            4: stamp(over.when),
            6: made,
            9: written,
            12: over.reference,
            13: over.replaces,
            17: AUTHENTICATED,
            19: CANCELLED if over.cancels else AVAILABLE,
        },
    )


def content(over: HandOver) -> str:
    """The document itself, in base64."""
    code, display, system = over.type
    named = "LN" if system == "http://loinc.org" else "L"
    kind, subtype = data_type(over.mime)
    data = f"^{kind}^{subtype}^Base64^{base64.b64encode(over.body).decode()}"
    title = er7.composite(code or "document", display or over.title, named)
    return er7.segment("OBX", {1: "1", 2: "ED", 3: title, 5: data, 11: "F"})


def data_type(mime: str) -> tuple[str, str]:
    """What kind of data it is."""
    return TYPES.get(mime, XML)
