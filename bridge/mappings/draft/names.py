"""What the name of a field suggests. English, and the Spanish words seen in agencies' exports; suggestions only."""

from __future__ import annotations

import re

_PIECES = re.compile(r"[A-Z]+(?=[A-Z][a-z])|[A-Z]?[a-zà-ÿ]+|[A-Z]+|\d+")


def words(name: str) -> tuple[str, ...]:
    """The words of a name in small letters: `clientID`, `Client #` and `client_id` begin alike."""
    return tuple(piece.lower() for piece in _PIECES.findall(name))


def singular(word: str) -> str:
    """A plural without its s, which is as far as names need it."""
    return word[:-1] if len(word) > 3 and word.endswith("s") and not word.endswith("ss") else word


def called(name: str) -> frozenset[str]:
    """The words of a name, each also in the singular."""
    return frozenset(words(name)) | frozenset(map(singular, words(name)))


def _in_order(text: str) -> tuple[str, ...]:
    return tuple(text.split())


def _set(text: str) -> frozenset[str]:
    return frozenset(text.split())


SUBJECT = _in_order(
    "child client participant patient youth student consumer kid infant baby individual person member family household "
    "case niño niña paciente cliente"
)
"""Words for the one a record is about, the likeliest first."""

CAREGIVER = _set("caregiver mother father parent guardian mom dad grandmother grandfather grandparent madre padre")
STAFF = _set(
    "staff worker author clinician provider partner therapist coordinator supervisor facilitator employee user "
    "username interviewer counselor nurse doctor physician by assigned visitor advocate"
)
NAMING = _set("name names first last surname given middle nickname alias initials nombre apellido apellidos")
GIVEN, FAMILY = _set("first given nombre"), _set("last family surname apellido apellidos")
ID = _set("id ids uuid guid key number no num nr ref identifier")
UNIQUE_ID = _set("id uuid guid key identifier")

IDENTIFYING = NAMING | _set(
    "dob birth birthdate birthday born ssn social security medicaid medicare mrn insurance policy license passport "
    "phone tel telephone mobile cell email mail fax address street city town zip zipcode postal postcode county "
    "neighborhood neighbourhood apartment apt school employer church shelter photo image picture signature ip url "
    "website latitude longitude lat lon lng emergency telefono teléfono direccion dirección ciudad nacimiento"
)
"""A field of such a name says who somebody is or where they are found."""

NEVER = {
    "password": "a password",
    "passwd": "a password",
    "pin": "a password",
    "secret": "a secret",
    "token": "a secret",
    "hash": "a secret",
    "ssn": "a social security number",
    "disclosure": "what staff tell of their own life",
    "supervision": "what is said in supervision",
    "rematch": "why a match was ended",
    "psychotherapy": "a counsellor's notes of what was said",
}
"""What a bridge has no business keeping, by a word of its name."""

SENSITIVE = {
    **dict.fromkeys(("dv", "violence", "abuse", "abuser", "assault", "safety", "unsafe", "safe"), "violence-location"),
    **dict.fromkeys(("substance", "alcohol", "drug", "drugs", "opioid", "tobacco", "sud", "recovery"), "substance-use"),
    **dict.fromkeys(("counselling", "counseling", "therapy"), "counselling-notes"),
    **dict.fromkeys(("custody", "dcf", "cps", "foster", "welfare", "neglect", "removal"), "child-welfare"),
    **dict.fromkeys(
        ("legal", "court", "arrest", "probation", "immigration", "lawyer", "attorney", "police", "jail"), "legal"
    ),
    **dict.fromkeys(
        (
            "stress",
            "depression",
            "anxiety",
            "phq",
            "gad",
            "epds",
            "edinburgh",
            "psi",
            "suicide",
            "suicidal",
            "ace",
            "aces",
        ),
        "caregiver-health",
    ),
    **dict.fromkeys(("sibling", "siblings", "relative", "relatives", "neighbor", "others", "circle"), "third-party"),
    **dict.fromkeys(("hiv", "pregnancy", "pregnant", "diagnosis", "medication", "risk", "crisis"), "narrative"),
}
"""A word of a name → the class a label would say, once somebody decides that the field may leave."""

CODED = _set(
    "type kind status state stage category class code place location setting mode medium modality method channel "
    "outcome result purpose reason relationship relation gender sex race ethnicity language program service services "
    "support supports level role direction priority unit instrument scale rating frequency response topic source "
    "attendance format interaction descriptor lang idioma tipo estado lugar motivo idiomas progress eligibility"
)
"""A field of such a name, with few values that come again, holds codes."""

FREE = _set(
    "note notes narrative comment comments description summary text remarks details reflection words notas quote"
)
GOAL = _set("goal goals objective objectives target targets outcome_goal meta metas")
SCORE = _set("score scores total subscale points rating scale phq gad epds asq cans k")
LASTING = _set("duration minutes mins length hours")
PLACE = _set("place location setting lugar")
TYPE = _set("type kind interaction mode modality method medium service tipo")

_WHEN = {
    **dict.fromkeys(("started", "start", "begin", "began", "happened", "occurred", "encounter", "administered"), 6),
    **dict.fromkeys(("visit", "contact", "session", "service", "happens", "event", "visita", "contacto"), 4),
    **dict.fromkeys(("date", "when", "day", "datetime", "at", "on", "fecha", "time"), 2),
}
_NOT_WHEN = _set(
    "created entered updated modified changed signed due next end ended ends finish birth dob birthdate born review "
    "submitted exported closed deleted discharge approved locked until revoked nacimiento follow consent withdrawn "
    "expires retention confirmed registered imported seen target"
)
_VERSION = _set("updated modified changed version revision edited")
_END = _set("ended end ends finish finished until")


def clinical_time(name: str) -> int:
    """How much a moment's name sounds like the time something took place: 1 for any that does not deny it, else 0."""
    found = words(name)
    return 0 if _NOT_WHEN & set(found) else max(1, sum(_WHEN.get(word, 0) for word in found))


def version_like(name: str) -> bool:
    """Whether a name sounds like when, or how often, a record was changed."""
    return bool(_VERSION & set(words(name)))


def end_like(name: str) -> bool:
    """Whether a name sounds like the end of something."""
    return bool(_END & set(words(name)))


FINAL = (
    "signed",
    "final",
    "finalized",
    "completed",
    "complete",
    "approved",
    "locked",
    "closed",
    "submitted",
    "amended",
)
VOID = (
    "void",
    "voided",
    "deleted",
    "cancelled",
    "canceled",
    "removed",
    "error",
    "entered-in-error",
    "entered_in_error",
)
STATUS = _set("status state stage estado")
BIRTH = _set("birth dob born birthdate birthday nacimiento")
OWN = IDENTIFYING | _set("consent demo test anonymised anonymized erasure")
"""Words of flags that are about the record, or say how to reach somebody: nothing for a document."""
VISIT = _set("visit contact session encounter call duration minutes visita meeting")
