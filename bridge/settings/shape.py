"""The frozen shape of a project: what every room reads, and nothing of how it was written down.

Times carry their unit in the name; ids are the keys of `bridge.yaml`. The parts that stand in the file as they stand
here carry their limits too (pydantic reads them there; building one in code checks nothing).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Annotated, ClassVar, Literal

from pydantic import ConfigDict, Field

from bridge.settings.forms import Address, Email, Language, Name, QuietHours, Timezone
from bridge.settings.handoff import Handoff
from bridge.settings.login import Login, Tls
from bridge.settings.secret import Secret

CLOSED = ConfigDict(extra="forbid", hide_input_in_errors=True)

Source = Literal["synthetic", "real"]
ConnectionKind = Literal["test", "production"]
Mime = Literal[
    "text/plain",
    "application/xhtml+xml",
    "text/html",
    "application/pdf",
    "text/rtf",
    "application/rtf",
    "application/hl7-v3+xml",
    "application/cda+xml",
    "text/xml",
    "application/xml",
]
"""Content types a document can be rendered in; the last four are C-CDA, under the name the EHR takes it by."""

EncounterLink = Literal["none", "external", "contained"]
"""What a document names as its encounter: nothing, our own Encounter where it was written, or one contained in it."""

UsCore = Literal["6.1.0", "7.0.0", "8.0.0", "9.0.0"]

PersonRole = Literal["agency-staff", "practice-reader", "engineer"]


@dataclass(frozen=True, slots=True)
class Contact:
    """Whom a failure of this site reaches (R7)."""

    __pydantic_config__: ClassVar[ConfigDict] = CLOSED
    name: Name
    email: Email
    phone: str = ""


@dataclass(frozen=True, slots=True)
class Coding:
    """A code with its system, as a site wants it written."""

    __pydantic_config__: ClassVar[ConfigDict] = CLOSED
    system: Annotated[str, Field(min_length=1, description="the code system, for example http://loinc.org")]
    code: Annotated[str, Field(min_length=1, description="the code, in quotes, for example '34109-9'")]
    display: str = ""


@dataclass(frozen=True, slots=True)
class Program:
    """A program the agencies run, for example a system of care."""

    id: str
    name: str
    part2: bool = False  # a Part 2 program (42 CFR §2.11): everything of it is released as substance use records are
    minor_consented: bool = False  # its services are those a minor consents to themselves: nobody else's consent counts


@dataclass(frozen=True, slots=True)
class GuardSettings:
    """What of an agency's free text a person reads before it leaves; false switches a detector off."""

    __pydantic_config__: ClassVar[ConfigDict] = CLOSED
    names: bool = True  # other people of the family known to the ledger, but not a child's own caregivers
    caregivers: bool = False  # a child's caregivers in the child's chart, a caregiver's children in the caregiver's
    phones: bool = True
    addresses: bool = True
    email: bool = True
    links: bool = True
    phrases: tuple[Annotated[str, Field(min_length=3, max_length=200)], ...] = ()  # the agency's own


@dataclass(frozen=True, slots=True)
class Agency:
    """A community agency: who sends records, in which zone and language, to which practices."""

    id: str
    name: str
    source: Source
    program: str
    timezone: str
    contact: Contact
    practices: tuple[str, ...]
    language: str = "en"
    phone: str = ""
    privacy_contact: Contact | None = None
    key: Secret | None = None  # the API key its system posts with
    watch: Path | None = None  # a folder whose files are accepted
    guard: GuardSettings = field(default_factory=GuardSettings)


@dataclass(frozen=True, slots=True)
class DocumentSettings:
    """How a practice wants documents: format, language of headings, note types by record kind, author."""

    __pydantic_config__: ClassVar[ConfigDict] = CLOSED
    mime: Mime = "text/plain"
    otherwise: tuple[Mime, ...] = ()  # further formats in this order, where the first cannot be made or is not taken
    charset: bool | None = None  # whether a text's content type says its charset; None = as the vendor wants it
    largest_kib: Annotated[int, Field(ge=1, le=1_048_576)] | None = (
        None  # of one document; never more than the vendor's
    )
    language: Language = "en"
    types: Mapping[str, Coding] = field(default_factory=dict)  # record kind → DocumentReference.type
    author: str = ""  # shown as author; empty = the agency's name. Never a clinician of the practice
    encounter_link: EncounterLink = "none"  # never the practice's own visit, whatever is chosen
    times: Literal["vendor", "always"] = "vendor"  # always: a day alone is sent as noon of that day
    zone: Literal["agency", "practice"] = "agency"  # whose clocks times are told by
    us_core: UsCore | None = None  # the version whose profiles a resource names; None = the profiles without a version
    released_at_once: frozenset[str] = frozenset()  # note types (codes) that the practice's portal shows at once
    when_released: Literal["facts", "hold"] = "facts"  # of such a note: only its facts leave, or a person decides
    part2_notice: Literal["full", "short"] = "full"  # which of the two statements of 42 CFR §2.32(a)

    @property
    def form(self) -> tuple[object, ...]:
        """All that changes what one document is, and not what it is made of."""
        written = self.mime, *self.otherwise, self.charset, self.language, self.author
        return (*written, self.encounter_link, self.times, self.zone, self.us_core)


Rhythm = Literal["each", "daily", "weekly", "significant"]
Day = Literal["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]


@dataclass(frozen=True, slots=True)
class CadenceSettings:
    """How often a practice wants notes, by kind of record; a kind that is not named comes note by note."""

    __pydantic_config__: ClassVar[ConfigDict] = CLOSED
    kinds: Mapping[str, Rhythm] = field(default_factory=dict)  # record kind → each, daily, weekly or significant
    day: Day = "friday"  # on which the weekly roll-up is sent
    hour: Annotated[int, Field(ge=0, le=23)] = 17  # on the practice's clocks: when a roll-up is closed and sent
    together: bool = False  # one roll-up for all the kinds of one rhythm, instead of one for each


@dataclass(frozen=True, slots=True)
class Practice:
    """A primary-care practice: which connection, from when, for whom, and what it asked for."""

    id: str
    name: str
    connection: str
    contact: Contact
    send_from: date
    timezone: str
    privacy_contact: Contact | None = None
    pilot: frozenset[str] | None = None  # "agency/person"; None = everyone linked and consented
    document: DocumentSettings = field(default_factory=DocumentSettings)
    enable: frozenset[str] = frozenset()  # FHIR types this site wants written as such, beside documents
    routes: Mapping[str, tuple[str, ...]] = field(default_factory=dict)  # kind of record → exactly these ways
    flowsheets: Mapping[str, Coding] = field(default_factory=dict)  # LOINC code → this site's flowsheet row
    cadence: CadenceSettings = field(default_factory=CadenceSettings)
    referral_status: bool = False  # the bare status of its own referral may answer it before the family's consent (R26)
    key: Secret | None = None  # the API key its system sends referrals with
    consent_ended: Literal["chart", "page"] = "chart"  # where it is told that a consent ended: a notice, or these pages
    handoff: Handoff | None = None  # how it is handed documents that its EHR does not take by FHIR
    caregiver_screening: bool = False  # a child's chart may say that a caregiver's screening was done, and no more
    hold_back: Mapping[str, int] = field(default_factory=dict)  # record kind → seconds before a first send; "" = others

    def held_back(self, kind: str) -> int:
        """Microseconds that what is new of this kind waits, so that a quick correction goes instead of it."""
        return self.hold_back.get(kind, self.hold_back.get("", 0)) * 1_000_000

    @property
    def asked(self) -> frozenset[str]:
        """Every FHIR type this site wants written, for whichever kind of record."""
        named = {name for ways in self.routes.values() for name in ways}
        return self.enable | {"DocumentReference" if name == "document" else name for name in named}


@dataclass(frozen=True, slots=True)
class PaceSettings:
    """How much a connection is asked, by all workers together; None = what is known of the vendor."""

    __pydantic_config__: ClassVar[ConfigDict] = CLOSED
    per_minute: Annotated[int, Field(ge=1)] | None = None  # every request counts, calls for a token too
    per_day: Annotated[int, Field(ge=1)] | None = None
    documents_per_day: Annotated[int, Field(ge=1)] | None = None  # every request for a DocumentReference
    timezone: Timezone | None = None  # in which a day begins; None = that of its first practice
    quiet_hours: tuple[QuietHours, ...] = ()  # in each practice's own zone; nothing is sent, unless it is urgent
    urgent_in_quiet_hours: bool = True


@dataclass(frozen=True, slots=True)
class AlertSettings:
    """How contacts are told that a connection is down, and that it is up again; nothing of any person is in it."""

    __pydantic_config__: ClassVar[ConfigDict] = CLOSED
    command: tuple[Annotated[str, Field(min_length=1)], ...] = ()  # run without a shell; what to tell comes as JSON
    after_seconds: Annotated[int, Field(ge=0, le=86_400)] = 60  # what is over sooner is not told


@dataclass(frozen=True, slots=True)
class Connection:
    """One login at one FHIR endpoint."""

    id: str
    kind: ConnectionKind
    base: str  # without a slash at the end
    vendor: str
    login: Login | None = None
    tls: Tls | None = None
    timeout_seconds: float = 30.0
    visibility_delay_seconds: float | None = None  # None = the vendor's
    lanes: int = 4  # requests at a time of one process, at the most: fewer while the EHR says that it is too many
    pace: PaceSettings = field(default_factory=PaceSettings)


@dataclass(frozen=True, slots=True)
class Person:
    """Someone who may sign in to the page."""

    id: str
    name: str
    email: str
    role: PersonRole
    agency: str = ""
    practice: str = ""


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds, each with its unit in the name."""

    __pydantic_config__: ClassVar[ConfigDict] = CLOSED
    body_mib: Annotated[int, Field(ge=1, le=1024)] = 16  # one request to the intake door
    item_kib: Annotated[int, Field(ge=1, le=65_536)] = 512  # one record
    planned_entries: Annotated[int, Field(ge=1)] = 100_000  # waiting for one practice; accepted records have no bound
    free_disk_mib: Annotated[int, Field(ge=0)] = 512  # below this intake answers 503
    lease_seconds: Annotated[int, Field(ge=2, le=3600)] = 120  # a lane's lease; outlasts every connection's timeout
    hold_due_days: Annotated[int, Field(ge=1, le=365)] = 7  # when a hold becomes overdue
    announce_expiry_days: Annotated[int, Field(ge=0, le=365)] = 30  # how long before a consent ends it is asked for
    stop_seconds: Annotated[int, Field(ge=1, le=600)] = 30  # how long a stop waits for requests under way


@dataclass(frozen=True, slots=True)
class Server:
    """Where `bridge serve` listens, and the address people reach it by."""

    __pydantic_config__: ClassVar[ConfigDict] = CLOSED
    host: Annotated[str, Field(min_length=1)] = "127.0.0.1"
    port: Annotated[int, Field(ge=0, le=65_535)] = 8080
    url: Address | None = None  # public address without a slash at the end; None = http://host:port


@dataclass(frozen=True, slots=True)
class Project:
    """One project folder, checked. `hash` changes with anything that changes what the bridge does."""

    directory: Path
    hash: str
    packs: tuple[str, ...]
    programs: Mapping[str, Program]
    agencies: Mapping[str, Agency]
    practices: Mapping[str, Practice]
    connections: Mapping[str, Connection]
    people: Mapping[str, Person]
    store: Secret  # the ledger's URL; it may carry a password
    key: Secret  # 32 bytes, base64
    limits: Limits
    server: Server
    workers: int
    alerts: AlertSettings = field(default_factory=AlertSettings)
    vendors: Mapping[str, str] = field(default_factory=dict, repr=False)  # the project's own vendor files, by name
    ways: str = field(default="", repr=False)  # its own ways.yaml
