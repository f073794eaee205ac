"""Free text that a person at the agency reads before it leaves. Pure: texts and known things → findings.

It never edits: a family's words leave as they were said, or wait. A finding names the detector and the place, never
what was found. False alarms must be bearable, so each detector asks for a form that ordinary sentences do not have.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from bridge.documents.narrative import paragraphs
from bridge.model import GUARDED, Hold, HoldReason, Owner, Part
from bridge.settings import GuardSettings

SPOKEN = frozenset(
    {
        "text", "contentString", "valueString", "valueMarkdown", "detailString", "description", "title", "name",
        "comment", "authorString", "patientInstruction", "summary",
    }
)  # fmt: skip
"""Elements that hold people's words; a Composition's are mostly in its sections."""
ACTING = frozenset(
    {
        "author", "attester", "custodian", "performer", "participant", "contributor", "requester", "recorder", "sender",
        "careManager", "serviceProvider", "managingOrganization", "agent",
    }
)  # fmt: skip
"""Elements that say who acted; a subject, a recipient, a source or whoever set a goal is somebody else."""
SHORTEST = 3
"""Letters of a name that is looked for: shorter ones are words."""

_STREETS = (
    r"Street|St|Avenue|Ave|Road|Rd|Lane|Ln|Drive|Dr|Boulevard|Blvd|Court|Ct|Place|Pl|Terrace|Ter|Highway|Hwy|Parkway"
    r"|Pkwy|Circle|Cir|Square|Sq|Way"
)
_PATTERNS: dict[str, re.Pattern[str]] = {
    # North American numbers with or without area code, and international ones; a date has other groups.
    "phones": re.compile(
        r"(?<![\d\-./])(?:(?:\+?1[ .-]?)?(?:\([2-9]\d{2}\) ?|[2-9]\d{2}[ .-])[2-9]\d{2}[ .-]?\d{4}"
        r"|[2-9]\d{2}-\d{4}|[2-9]\d{2}[2-9]\d{6}|\+\d{1,3}[ .-]?(?:\d[ .-]?){6,11}\d)(?![\d-])"
    ),
    "addresses": re.compile(
        rf"\b\d{{1,5}}[A-Za-z]? (?:[NSEW]\.? )?(?:[A-ZÀ-Þ][\w'’-]*\.? ){{1,3}}(?:{_STREETS})\b"
        r"|\b(?:Calle|Avenida|Avda?\.|Carretera|Callejón|rue|avenue|chemin|boulevard)"
        r" [A-ZÀ-Þ0-9][\w'’ -]{1,30},? ?#?\d{1,5}\b"
        r"|\b\d{1,5},? (?:rue|avenue|chemin|boulevard) [\w'’À-ÿ-]+"
        r"|\b(?:Apartment|Apt\.?|Apto\.?|Unit|Suite|Departamento) ?#? ?\d{1,4}[A-Za-z]?\b|\bP\.? ?O\.? Box \d+"
        r"|\b[A-Z]{2} \d{5}(?:-\d{4})?\b|\b[A-Z]\d[A-Z] \d[A-Z]\d\b"
    ),
    "email": re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+"),
    "links": re.compile(r"\bhttps?://|\bwww\.[a-z0-9-]+\.|(?<![\w@.])[a-z0-9-]+\.(?:com|org|net|gov|edu|info)\b", re.I),
}
_DIGIT = re.compile(r"\d")
_NUMBERED = re.compile(r"\d(?:\d{2}(?:[-. )]{1,2}\d{3,4}|\d{7})|\d{4}|[A-Z]\d|\d*[A-Za-z]? [A-ZÀ-Þ])")
_WORDED = ("Calle", "Aven", "Avda", "Carretera", "rue ", "avenue ", "chemin ", "boulevard ", "Ap", "Unit", "Suite")
_HINTS: dict[str, tuple[str, ...]] = {
    "phones": ("+",),
    "addresses": (*_WORDED, "Departamento", "Box "),
    "email": ("@",),
    "links": ("://", "www.", ".com", ".org", ".net", ".gov", ".edu", ".info"),
}
"""One of these, or for the first two a number of some form, is in all that a pattern finds and in few texts else:
looked for first, since a pattern takes longer."""
_CAPITALS = "".join(letter for letter in map(chr, range(0x530)) if letter.isupper())
_NAME = re.compile(rf"(?<![^\W\d_])[{_CAPITALS}][^\W\d_]{{2,}}")
_WORD = re.compile(r"[^\W\d_]+")

WORDS = {
    "names": "the name of somebody else of the family",
    "caregivers": "a caregiver's or child's name",
    "phones": "a phone number",
    "addresses": "an address",
    "email": "an e-mail address",
    "links": "a link",
    "phrases": "one of the agency's own phrases",
    "portal": "a note that the practice's portal shows at once",
}
"""What each detector finds, as a person reads it."""


@dataclass(frozen=True, slots=True)
class Known:
    """Who is known to be near the person a chart is about. Never kept, logged or shown."""

    own: frozenset[str] = field(default=frozenset(), repr=False)  # words of the person's own names, and the staff's
    others: frozenset[str] = field(default=frozenset(), repr=False)
    caregivers: frozenset[str] = field(default=frozenset(), repr=False)


@dataclass(frozen=True, slots=True)
class Text:
    """Some words that would leave, and where they stand: the part and, in a document, the section (from 1)."""

    part: str
    section: int
    words: str = field(repr=False)


@dataclass(frozen=True, slots=True, order=True)
class Found:
    """What a person should look at: which detector, where. Never the words themselves."""

    detector: str
    part: str
    section: int = 0


def texts(parts: Sequence[Part]) -> Iterator[Text]:
    """The words in these parts: each section of a document, and what people wrote elsewhere."""
    for part in parts:
        if part.type == "Provenance":
            continue
        if part.type == "Composition":
            head = {key: value for key, value in part.resource.items() if key != "section"}
            if said := [*spoken(head)]:
                yield Text(part.name, 0, "\n".join(said))
            for number, section in enumerate(part.resource.get("section", []), 1):
                yield Text(part.name, number, "\n".join(spoken(section)))
        else:
            if said := [*spoken(part.resource)]:
                yield Text(part.name, 0, "\n".join(said))


def spoken(value: Any, key: str = "") -> Iterator[str]:
    """The people's words in a resource: by the names of elements that hold such; a code's own words are no one's.

    What stands beside a code in other words than its own may be anybody's.
    """
    if isinstance(value, str):
        if key in SPOKEN:
            yield value
        elif key == "div":
            yield from (line.text for line in paragraphs(value))
    elif isinstance(value, list):
        for item in value:
            yield from spoken(item, key)
    elif isinstance(value, dict):
        own = {coding.get("display") for coding in value.get("coding", [])}
        for name, item in value.items():
            if name not in ("meta", "identifier", "coding") and not (own and isinstance(item, str) and item in own):
                yield from spoken(item, name)


def named_in(parts: Iterable[Part]) -> Iterator[str]:
    """Who is named in these parts for what they do for the agency: authors, performers, the team.

    Not a patient, nor one of the family in whichever place: a brother who was there is shown beside the staff.
    """
    for part in parts:
        yield from staff_named(part.resource)


def staff_named(value: Any, *, acting: bool = False) -> Iterator[str]:
    """The displays of references to staff in a resource; `acting` within an element that says who did something."""
    if isinstance(value, list):
        for item in value:
            yield from staff_named(item, acting=acting)
    elif isinstance(value, dict):
        if acting and isinstance(value.get("display"), str) and "code" not in value and not of_family(value):
            yield value["display"]
        for name, item in value.items():
            if isinstance(item, dict | list):
                yield from staff_named(item, acting=acting or name in ACTING)


def of_family(reference: Mapping[str, Any]) -> bool:
    """Whether a reference says that it is to a patient or a related person."""
    to = f"{reference.get('type', '')}/{reference.get('reference', '')}"
    return any(kind in to.split("/") for kind in ("Patient", "RelatedPerson"))


def findings(said: Iterable[Text], known: Known, wants: GuardSettings) -> tuple[Found, ...]:
    """What a person should look at before these words leave; sorted, each place and detector once."""
    looks = detectors(known, wants)
    found = {Found(name, text.part, text.section) for text in said for name, look in looks.items() if look(text.words)}
    return tuple(sorted(found))


def detectors(known: Known, wants: GuardSettings) -> dict[str, Callable[[str], object]]:
    """The detectors that are switched on, as functions of a text."""
    on: dict[str, Callable[[str], object]] = {
        name: Formed(_HINTS[name], name in ("phones", "addresses"), pattern)
        for name, pattern in _PATTERNS.items()
        if getattr(wants, name)
    }
    for name, switch, whom in (
        ("names", wants.names, known.others),
        ("caregivers", wants.caregivers, known.caregivers),
    ):
        sought = whom - known.own
        if switch and sought:
            on[name] = Named(sought)
    if wants.phrases:
        phrases = "|".join(re.escape(plain(phrase)) for phrase in wants.phrases)
        sought_phrases = re.compile(rf"(?<!\w)(?:{phrases})(?!\w)")
        on["phrases"] = lambda text: sought_phrases.search(plain(text))
    return on


@dataclass(frozen=True, slots=True)
class Formed:
    """Whether a text holds something of this form."""

    hints: tuple[str, ...]
    numbered: bool
    pattern: re.Pattern[str]

    def __call__(self, text: str) -> bool:
        if self.numbered:
            numbered = _DIGIT.search(text) is not None
            hinted = numbered and (_NUMBERED.search(text) is not None or any(hint in text for hint in self.hints))
        else:
            small = text.lower()
            hinted = any(hint in small for hint in self.hints)
        return hinted and self.pattern.search(text) is not None


@dataclass(frozen=True, slots=True)
class Named:
    """Whether a text names one of these: a whole word, written with a capital, whatever its accents."""

    names: frozenset[str] = field(repr=False)

    def __call__(self, text: str) -> bool:
        return any(plain(word) in self.names for word in _NAME.findall(text))


def name_words(names: Iterable[str]) -> frozenset[str]:
    """The words of these names that are looked for."""
    return frozenset(plain(word) for name in names for word in _WORD.findall(name) if len(word) >= SHORTEST)


def plain(text: str) -> str:
    """The text in small letters without accents."""
    if text.isascii():
        return text.lower()
    apart = unicodedata.normalize("NFKD", text)
    return "".join(letter for letter in apart if not unicodedata.combining(letter)).casefold()


# ── the hold ──────────────────────────────────────────────────────────────────────────────────────────────────────
def guard_key(reference: str, digest: str) -> str:
    """What a guarded entry waits for: a person's word on exactly what would leave (`digest`, keyed)."""
    return f"{GUARDED}{reference}:{digest}"


def digest_of(waits_for: str) -> str:
    """The digest of what such a hold asks about; "" for another hold."""
    return waits_for.rpartition(":")[2] if waits_for.startswith(GUARDED) else ""


def hold(reference: str, digest: str, found: Sequence[Found]) -> Hold:
    """The hold of what a person at the agency looks at first."""
    by_detector: dict[str, list[str]] = {}
    for one in found:
        place = f"section {one.section} of {one.part}" if one.section else one.part
        by_detector.setdefault(one.detector, []).append(place)
    said = "; ".join(f"{WORDS[name]} (in {', '.join(places)})" for name, places in by_detector.items())
    return Hold(
        HoldReason.DECISION,
        guard_key(reference, digest),
        Owner.AGENCY,
        f"before it leaves, somebody at the agency looks at it: it may hold {said}",
        "read it in your own system; say that it may leave, or amend it there and sign it again",
    )
