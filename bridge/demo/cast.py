"""Who plays: agencies with their staff, practices with the shapes of their EHRs. All of it is invented."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from bridge.settings import DocumentSettings, Project

SHAPES = frozenset({"athena", "ecw", "epic", "nextgen", "nextgen-office", "open", "openemr", "oracle"})
"""Vendors that the sandbox has a shape of; any other practice gets the open one."""


PLAIN = DocumentSettings()


@dataclass(frozen=True, slots=True)
class Office:
    """An agency with its people. The second family partner leaves half-way and `successor` takes over.

    `offsets` says that its system writes times with their offset; else they are the office's wall clock.
    """

    id: str
    name: str
    city: str
    practices: tuple[str, ...]
    partners: tuple[str, ...]
    successor: str
    clinicians: tuple[str, ...]
    timezone: str = "America/New_York"
    language: str = "en"
    offsets: bool = True


@dataclass(frozen=True, slots=True)
class Site:
    """A practice: the shape of its EHR and what it asked for. `system` is that of its patient numbers."""

    id: str
    name: str
    shape: str
    system: str
    document: DocumentSettings = PLAIN
    enable: frozenset[str] = frozenset()
    send_from: date | None = None  # None = before the caseload begins
    timezone: str = "America/New_York"


@dataclass(frozen=True, slots=True)
class Cast:
    """Everyone who plays; an office names its practices in the order in which families go to them."""

    offices: tuple[Office, ...]
    sites: tuple[Site, ...]
    packs: tuple[str, ...] = ("ma-soc",)

    def site(self, id: str) -> Site:
        """The practice of this id."""
        return next(site for site in self.sites if site.id == id)


def own_cast() -> Cast:
    """Three agencies in three cities, four practices whose EHRs differ."""
    offices = (
        Office(
            "harbor", "Harbor Family Partners", "Port Ellery", ("maple-street",),
            ("Rosa Vega", "Marisol Peña", "Tanya Brooks"), "Ileana Cruz", ("Dana Lee", "Ruth Abbott"),
        ),
        Office(
            "mill-river", "Mill River Community Services", "Mill City", ("lakeside", "old-mill"),
            ("Gladys Rojas", "Denise Carter"), "Pilar Quiñones", ("Omar Haddad", "Beth Lindqvist"), offsets=False,
        ),
        Office(
            "tres-rios", "Tres Ríos Family Network", "Three Rivers", ("northgate",),
            ("Consuelo Ávila", "Yolanda Marte"), "Shanice Grant", ("Peter Novak", "Ana Lucía Bermúdez"),
        ),
    )  # fmt: skip
    sites = (
        Site(
            "maple-street", "Maple Street Pediatrics", "open", system_of(1),
            enable=frozenset({"Encounter", "Communication", "CareTeam", "ServiceRequest", "Task"}),
        ),
        Site("lakeside", "Lakeside Family Health", "epic", system_of(2)),
        Site(
            "northgate", "Northgate Children's Clinic", "oracle", system_of(3),
            DocumentSettings(mime="application/xhtml+xml"),
        ),
        Site("old-mill", "Old Mill Pediatrics", "athena", system_of(4)),
    )  # fmt: skip
    return Cast(offices, sites)


def cast_of(project: Project) -> Cast:
    """The project's own agencies and practices, with invented staff and families, and sandboxes for their EHRs."""
    shapes = {id: connection.vendor for id, connection in project.connections.items()}
    sites = tuple(
        Site(
            id, practice.name, shape if (shape := shapes[practice.connection]) in SHAPES else "open", system_of(number),
            practice.document, practice.enable, practice.send_from, practice.timezone,
        )
        for number, (id, practice) in enumerate(project.practices.items(), 1)
    )  # fmt: skip
    staff = own_cast().offices
    offices = tuple(
        Office(
            id, agency.name, "", agency.practices, model.partners, model.successor, model.clinicians,
            agency.timezone, agency.language, model.offsets,
        )
        for number, (id, agency) in enumerate(project.agencies.items())
        for model in [staff[number % len(staff)]]
        if agency.practices
    )  # fmt: skip
    return Cast(offices, sites, project.packs)


def system_of(number: int) -> str:
    """The system of one practice's patient numbers: an arc that HL7 keeps for examples."""
    return f"urn:oid:2.16.840.1.113883.19.5.{number}"
