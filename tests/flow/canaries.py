"""Records with a marked phrase in every field that says something, and where each mark may be seen.

A mark is one word, `qz7<class><number>x`, that stands in one field of one record: whatever encoding it goes through,
it stays one word. Its class says what it is; `MAY` says where that may be, and everywhere else it is a leak.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from bridge.model import type_json
from tests.flow.channels import Sighting
from tests.flow.pilot import SYSTEM

RAW, KEPT = "raw", "raw|parts|loose"
SENT = "(POST|PUT) (DocumentReference|Goal|CarePlan) body"
HANDED = "(handed|printed) content"
PRINTED = "agency-staff GET /console/practices/{name}/pages"
STAFF_PAGES = "(agency-staff|engineer) GET /console/(needs|holds)/{hold}"

MAY: Mapping[str, Mapping[str, str]] = {
    # Removed before storage, at any depth (R24, R27); refused at the door, and so not stored either.
    "never": {},
    "rejected": {},
    # Of a person who agreed: in the encrypted blobs, the request to the practice, the practice's chart.
    "released": {
        "ledger-content": "raw|parts|loose|request|receipt",
        "requests": rf"\w+ {SENT}",
        "charts": r"\w+ (DocumentReference|Goal|CarePlan)",
        "handed": HANDED,
        "pages": PRINTED,
        "commands": "try",
    },
    "staff": {
        "ledger-content": "raw|parts|loose|request|receipt",
        "requests": r"\w+ (POST|PUT) \w+ body",
        "charts": r"\w+ \w+",
        "handed": HANDED,
        "pages": PRINTED,
        "commands": "try",
    },
    # Kept by the agency, encrypted; made into labelled parts and withheld.
    "unreleased": {"ledger-content": KEPT},
    "health": {"ledger-content": KEPT},
    "substance": {"ledger-content": KEPT},
    "location": {"ledger-content": KEPT},
    "welfare": {"ledger-content": KEPT},
    "third": {"ledger-content": KEPT},
    "legal": {"ledger-content": KEPT},
    # Words that the guard holds for a person: agreed to, and still here until somebody at the agency read them.
    "guarded": {"ledger-content": KEPT},
    # How the practice numbers its own referral: it is told what became of that before the family agreed to anything.
    "refnumber": {
        "ledger-content": "raw|parts|loose|request|receipt",
        "requests": r"\w+ (POST|PUT) (DocumentReference|Communication) body",
        "charts": r"\w+ (DocumentReference|Communication)",
    },
    # What a practice wrote when it referred: encrypted, and on the page of the agency's staff who say who it is.
    "referred": {
        "ledger-content": "referral|loose",
        "pages": "agency-staff GET /console/holds/{hold}",
        "forms": "agency-staff POST /console/holds/{hold}/referral 422",
    },
    # Kept as it came, and read by no mapping.
    "agencyonly": {"ledger-content": RAW},
    "phone": {"ledger-content": RAW},
    # Who somebody is: for matching, never sent where an EHR has their chart; in what is handed over, so that it can be
    # filed.
    "personname": {"ledger-content": "raw|parts|patient|loose|request", "handed": HANDED, "pages": PRINTED},
    "birthdate": {"ledger-content": "raw|parts|patient|loose|request", "handed": HANDED, "pages": PRINTED},
    # The practice's own number of a patient: encrypted, and in the one request that looks for it; in its URL only
    # where the server takes no search by POST.
    "mrn": {
        "ledger-content": "link|loose|request",
        "requests": r"\w+ POST Patient/_search body|elm GET Patient url",
        "handed": "handed content",
    },
    # What the practice's own chart says of its patients.
    "chart": {},
    # A code without a row: the question itself, to those who can say what it means (R13).
    "code": {
        "ledger-content": KEPT,
        "ledger-columns": r"hold\.waits_for|table_row\.(code|row)",
        "ledger-bytes": "sqlite(-wal)?",
        "errors": r"Hold\.waits_for",
        "pages": STAFF_PAGES,
        "forms": r"(agency-staff|engineer) POST /console/holds/{hold}/row 422",
        "commands": "held (list|show)",
    },
    # What somebody typed into a form that was not taken stands in the page that asks again, and nowhere else.
    "entered": {
        "forms": r"(agency-staff|engineer) POST /console/"
        "(holds/{hold}/(link|row|consent|entry|referral)|people/{number}/consent) 422"
    },
    # A sign-in link's own word, in the form that uses it.
    "token": {"pages": r"[\w-]+ GET /console/sign-in/{token}"},
    # What signs in: an access token on requests to its EHR; an assertion and a client's secret in the token call; the
    # private key that signs nowhere but encrypted.
    "bearer": {"requests": r"(maple|elm) (GET|POST|PUT) \w+(/_search)? headers"},
    "assertion": {"requests": "maple POST oauth2 body"},
    "secret": {"requests": "elm POST oauth2 body"},
    "signingkey": {},
    # A practice that the bridge does not know, named by a record.
    "place": {"ledger-content": KEPT},
    # The name of a watched file stands beside it, and is told to whoever named it.
    "filename": {
        "answer-files": "name|content",
        "commands": "accept",
        "errors": r"(Problem|RecordError|ConfigError).*",
    },
}


def misplaced(found: set[Sighting]) -> list[Sighting]:
    """The sightings at places where their class may not be."""
    return sorted(
        (one for one in found if not re.fullmatch(MAY[one.kind].get(one.channel, r"(?!)"), one.place)),
        key=lambda one: (one.channel, one.place, one.mark),
    )


@dataclass(slots=True)
class Marks:
    """Hands out marks and remembers where each was planted; `literals` are values that no word can stand for."""

    planted: dict[str, str] = field(default_factory=dict)
    literals: dict[bytes, str] = field(default_factory=dict)

    def word(self, kind: str, where: str) -> str:
        """A new mark of this class, for a field that takes one word."""
        assert kind in MAY, kind
        mark = f"qz7{kind}{len(self.planted) + 1}x"
        self.planted[mark] = where
        return mark

    def text(self, kind: str, where: str) -> str:
        """A phrase with a new mark, for a field of words."""
        return f"{self.word(kind, where)} dijo la mamá: «mi niño no duerme», <señora Ñandú> & compañía."

    def birth_date(self, days: str) -> str:
        """A birth date that stands nowhere else, `YYYY-MM-DD`."""
        year, month, day = days.split("-")
        for form in (days, f"{year}{month}{day}", f"{month}/{day}/{year}", f"{day}.{month}.{year}"):
            self.literals[form.encode()] = "birthdate"
        return days

    def phone(self, number: str) -> str:
        """A phone number that stands nowhere else."""
        self.literals[number.encode()] = "phone"
        return number

    def explained(self, found: list[Sighting]) -> str:
        """The sightings with where their marks were planted, one a line."""
        lines = (f"{one.channel} [{one.place}] {one.mark} of {self.planted.get(one.mark, one.kind)}" for one in found)
        return "\n".join(sorted(set(lines)))


# ── records ───────────────────────────────────────────────────────────────────────────────────────────────────────
@dataclass(frozen=True, slots=True)
class Writer:
    """Writes an agency's records about one family; `kind` is the class of its words, released or not."""

    marks: Marks
    path: str
    kind: str = "unreleased"

    def text(self, kind: str, field: str) -> str:
        return self.marks.text(kind, f"{field} ({self.path})")

    def word(self, kind: str, field: str) -> str:
        return self.marks.word(kind, f"{field} ({self.path})")

    def never(self, place: str) -> type_json:
        """Every field that is never collected, as texts, objects and lists."""
        return {
            "self_disclosure": self.text("never", f"{place} self_disclosure"),
            "supervision_notes": {"with": [self.text("never", f"{place} supervision_notes")]},
            "rematch_reason": [{"why": self.text("never", f"{place} rematch_reason")}],
            "counselling_notes": self.text("never", f"{place} counselling_notes"),
            "psychotherapy_notes": [self.text("never", f"{place} psychotherapy_notes")],
        }

    def staff(self) -> list[type_json]:
        return [
            {"role": "family-partner", "name": f"Rosa {self.word('staff', 'staff name')}", **self.never("staff")},
            {"role": "clinician", "name": "Dana Lund"},
        ]

    def contact(self, id: str, child: str, **more: Any) -> type_json:
        """A signed home visit with every field there is."""
        return {
            "id": id,
            "status": "signed",
            "updated_at": "2026-03-02T10:00:00-05:00",
            "child": child,
            "started": "2026-03-01T10:00:00-05:00",
            "ended": "2026-03-01T11:00:00-05:00",
            "mode": "in-person",
            "place": "home",
            "outcome": "reached",
            "purposes": ["follow-up"],
            "supports": ["emotional"],
            "attendees": [{"role": "caregiver", **self.never("attendees")}],
            "staff": self.staff(),
            "language": "es",
            "narrative": self.text(self.kind, "narrative"),
            "next_steps": self.text(self.kind, "next_steps"),
            "place_name": self.text("location", "place_name"),
            "address": self.text("location", "address"),
            "others_involved": self.text("third", "others_involved"),
            "child_welfare": self.text("welfare", "child_welfare"),
            "safety_flag": True,
            "safety_concern": self.text("agencyonly", "safety_concern"),
            "home_observation": self.text("agencyonly", "home_observation"),
            "legal_note": self.text("agencyonly", "legal_note"),
            "phone": self.marks.phone("617-555-0178"),
            **self.never("contact"),
            **more,
        }

    def stress(self) -> type_json:
        """What a contact says about the caregiver."""
        return {
            "caregiver_stress": {"score": 9, "note": self.text("health", "stress note"), **self.never("stress")},
            "caregiver_substance_use": self.text("substance", "caregiver_substance_use"),
        }

    def child(self, id: str, birth_date: str = "2019-08-17", **more: Any) -> type_json:
        """A child, with all that says who they are and where they live."""
        return {
            "id": id,
            "name": {
                "family": self.word("personname", "family name"),
                "given": [self.word("personname", "given name")],
                "preferred": self.word("personname", "preferred name"),
            },
            "birth_date": self.marks.birth_date(birth_date),
            "gender": "female",
            "languages": [{"code": "es", "preferred": True}],
            "race": ["white"],
            "address": self.text("agencyonly", "address"),
            "phone": self.marks.phone("617-555-0179"),
            "custody": self.text("agencyonly", "custody"),
            "insurance": self.text("agencyonly", "insurance"),
            "safety_flag": True,
            **self.never("child"),
            **more,
        }

    def caregiver(self, id: str, child: str, **more: Any) -> type_json:
        """A caregiver of one child."""
        return {
            "id": id,
            "children": [{"child": child, "relationship": "mother"}],
            "name": {
                "family": self.word("personname", "family name"),
                "given": [self.word("personname", "given name")],
            },
            "birth_date": self.marks.birth_date("1987-03-29"),
            "languages": [{"code": "es", "preferred": True}],
            "address": self.text("agencyonly", "address"),
            "phone": self.marks.phone("617-555-0180"),
            "email": f"{self.word('agencyonly', 'email')}@example.org",
            "immigration": self.text("agencyonly", "immigration"),
            "employment": self.text("agencyonly", "employment"),
            **self.never("caregiver"),
            **more,
        }

    def plan(self, id: str, child: str, caregiver: str) -> type_json:
        """A signed care plan."""
        goal = {"id": "1", "state": "active", "words": self.text(self.kind, "goal"), "said_by": "caregiver"}
        return {
            "id": id,
            "version": 1,
            "status": "signed",
            "plan_status": "active",
            "child": child,
            "caregiver": caregiver,
            "started": "2026-02-01",
            "signed_on": "2026-02-02",
            "language": "es",
            "goals": [{**goal, "steps": [self.text(self.kind, "step")], **self.never("goal")}],
            "summary": self.text(self.kind, "summary"),
            "strengths": self.text(self.kind, "strengths"),
            "needs": self.text(self.kind, "needs"),
            "others_involved": self.text("third", "others_involved"),
            "child_welfare": self.text("welfare", "child_welfare"),
            "caregiver_needs": self.text("health", "caregiver_needs"),
            "team": [{"role": "family-partner", "name": f"Rosa {self.word('staff', 'team')}"}, {"role": "clinician"}],
            "authors": [{"role": "family-partner", "name": f"Rosa {self.word('staff', 'author')}"}],
            "safety_plan": self.text("agencyonly", "safety_plan"),
            "home_observation": self.text("agencyonly", "home_observation"),
            "legal_note": self.text("agencyonly", "legal_note"),
            **self.never("plan"),
        }

    def screening(self, id: str, person: type_json, **more: Any) -> type_json:
        """A signed screening of one person."""
        return {
            "id": id,
            "status": "signed",
            "updated_at": "2026-02-01",
            "administered": "2026-02-01",
            "staff": self.staff(),
            "language": "es",
            "safety_concern": self.text("agencyonly", "safety_concern"),
            **self.never("screening"),
            **person,
            **more,
        }

    def referral(self, id: str, service: str, kind: str, **more: Any) -> type_json:
        """A referral to a service whose own name tells what it is for; `kind` is the class of that name."""
        return {
            "id": id,
            "status": "signed",
            "updated_at": "2026-02-20",
            "requested_on": "2026-02-01",
            "service": service,
            "organization": self.text(kind, f"organization ({service})"),
            "state": "not-followed",
            "reason": "transport",
            "gap": self.text(self.kind, "gap"),
            "notes": self.text(self.kind, "notes"),
            "language": "es",
            "staff": self.staff(),
            "contact_person": self.text("agencyonly", "contact_person"),
            "phone": self.marks.phone("617-555-0181"),
            "legal_note": self.text("agencyonly", "legal_note"),
            "safety_concern": self.text("agencyonly", "safety_concern"),
            **self.never("referral"),
            **more,
        }

    def team(self, id: str, child: str) -> type_json:
        """A care team."""
        return {
            "id": id,
            "status": "active",
            "updated_at": "2026-02-01",
            "child": child,
            "members": [
                {"role": "family-partner", "name": f"Rosa {self.word('staff', 'member')}", **self.never("member")},
                {"role": "clinician"},
            ],
            "comments": self.text("agencyonly", "comments"),
            **self.never("team"),
        }

    def dyad(self, id: str, child: str) -> type_json:
        """A pairing that has ended."""
        return {
            "id": id,
            "status": "ended",
            "child": child,
            "started": "2026-01-01",
            "ended": "2026-02-01",
            "ended_by": "family",
            "members": [{"role": "family-partner", "name": "Rosa Vega", "until": "2026-02-01"}],
            **self.never("dyad"),
        }

    def referral_status(self, id: str, child: str, kind: str = "refnumber", **more: Any) -> type_json:
        """What became of the practice's own referral."""
        number = {"system": "urn:oid:2.16.840.1.113883.19.5.2", "value": self.word(kind, "referral number")}
        said = {"id": id, "child": child, "referral": number, "state": "received"}
        return {**said, "updated_at": "2026-02-20T10:00:00-05:00", **self.never("referral status"), **more}

    def consent(self, id: str, practice: str, **more: Any) -> type_json:
        """A consent as a record."""
        return {
            "id": id,
            "status": "signed",
            "practice": practice,
            "from": "2026-01-01",
            "narrative": True,
            "witness": self.text("agencyonly", "witness"),
            "comments": self.text("agencyonly", "comments"),
            **self.never("consent"),
            **more,
        }

    def patient(self, number: str, birth_date: str = "2019-08-17") -> type_json:
        """A Patient as the practice's EHR has it."""
        return {
            "resourceType": "Patient",
            "active": True,
            "identifier": [{"system": SYSTEM, "value": number}],
            "name": [{"family": self.word("chart", "the chart's name"), "given": ["Luz"]}],
            "birthDate": birth_date,
            "telecom": [{"system": "phone", "value": self.word("chart", "the chart's phone")}],
            "address": [{"text": self.word("chart", "the chart's address")}],
        }
