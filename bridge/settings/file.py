"""What `bridge.yaml` may say, section by section. A field's description is shown to whoever left it out."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from bridge.settings.forms import Address, Email, HoldBack, Language, LoginForm, Name, StoreForm, Timezone, wrong
from bridge.settings.handoffs import HandoffIn
from bridge.settings.logins import LoginIn, TlsIn
from bridge.settings.section import SecretField, SecretRef, Section
from bridge.settings.shape import (
    AlertSettings,
    CadenceSettings,
    Coding,
    ConnectionKind,
    Contact,
    DocumentSettings,
    GuardSettings,
    Limits,
    PaceSettings,
    PersonRole,
    Server,
    Source,
)

ContactField = Annotated[Contact, Field(description="whom a failure reaches: { name, email, phone }")]
Items = dict[str, dict[str, Any]]


class StoreRef(SecretRef):
    """The ledger's address, or where it is kept when it carries a password."""

    url: str | None = None

    @model_validator(mode="after")
    def _one(self) -> StoreRef:
        if [self.url, self.env, self.file].count(None) != 2:
            raise wrong(
                "secret-form", "must name one place", "write an address, { file: secrets/NAME } or { env: NAME }"
            )
        return self


class ProgramIn(Section):
    """One of `programs`."""

    name: Name
    minor_consented: bool = Field(default=False, description="true where minors consent to its services themselves")
    part2: bool = False


class AgencyIn(Section):
    """One of `agencies`."""

    name: Name
    source: Source = Field(description="synthetic while you try, real for families' records")
    program: str = Field(description="the id of a program in this file")
    timezone: Timezone
    contact: ContactField
    practices: tuple[str, ...] = Field(min_length=1, description="the ids of the practices it works with, in brackets")
    language: Language = "en"
    phone: str = ""
    privacy_contact: Contact | None = None
    key: SecretField | None = None
    watch: str | None = Field(default=None, min_length=1, description="a folder, relative to the project folder")
    guard: GuardSettings = GuardSettings()


class PracticeIn(Section):
    """One of `practices`."""

    name: Name
    connection: str = Field(description="the id of a connection in this file")
    contact: ContactField
    send_from: date = Field(description="the first day whose records may be sent, for example 2026-09-01")
    timezone: Timezone
    privacy_contact: Contact | None = None
    pilot: tuple[str, ...] | None = Field(default=None, description="agency/person, one a line; leave out for everyone")
    document: DocumentSettings = DocumentSettings()
    enable: tuple[str, ...] = Field(default=(), description="FHIR types written as such, for example [Encounter]")
    cadence: CadenceSettings = CadenceSettings()
    routes: dict[str, tuple[str, ...]] = Field(
        default_factory=dict, description="kind of record → its ways, for example { contact: [document, Encounter] }"
    )
    flowsheets: dict[str, Coding] = Field(
        default_factory=dict, description="LOINC code → this site's flowsheet row: { system, code }"
    )
    referral_status: bool = False
    key: SecretField | None = None
    consent_ended: Literal["chart", "page"] = "chart"
    caregiver_screening: bool = False
    handoff: HandoffIn | None = Field(default=None, description="{ way: folder, folder: … } or another way")
    hold_back: HoldBack = Field(default_factory=dict, description="10m, or { other: 10m, ma-soc/contact: 30m }")


class ConnectionIn(Section):
    """One of `connections`."""

    kind: ConnectionKind = Field(description="test or production")
    base: Address | None = Field(default=None, description="the FHIR base, for example https://ehr.example/fhir/r4")
    vendor: str = Field(description="which EHR it is; `generic` when unsure")
    login: Annotated[LoginIn | None, LoginForm] = Field(description="none, or { bearer: { file: secrets/NAME } }")
    tls: TlsIn | None = Field(default=None, description="{ ca: FILE } or { certificate: FILE, key: { file: FILE } }")
    timeout_seconds: float = Field(default=30.0, ge=1, le=300)
    visibility_delay_seconds: float | None = Field(default=None, ge=0, le=86_400)
    lanes: int = Field(default=4, ge=1, le=64)
    pace: PaceSettings = PaceSettings()


class PersonIn(Section):
    """One of `people`."""

    name: Name
    email: Email
    role: PersonRole = Field(description="agency-staff, practice-reader or engineer")
    agency: str = ""
    practice: str = ""


class Root(Section):
    """The whole file; what is in the five sections of items is checked item by item, so that all mistakes show."""

    packs: tuple[str, ...] = Field(min_length=1, description="mapping packs, for example [ma-soc]")
    programs: Items = Field(min_length=1, description="at least one program: { ID: { name: … } }")
    agencies: Items = Field(min_length=1, description="at least one agency")
    practices: Items = Field(min_length=1, description="at least one practice")
    connections: Items = Field(min_length=1, description="at least one connection")
    people: Items = Field(default_factory=dict)
    store: Annotated[StoreRef, StoreForm] = StoreRef(url="sqlite:///ledger.sqlite")
    key: SecretField = SecretRef(file="secrets/ledger.key")
    limits: Limits = Limits()
    server: Server = Server()
    workers: int = Field(default=2, ge=1, le=64)
    alerts: AlertSettings = AlertSettings()
