"""Every kind of record at every shape of EHR: the sites, the records, what became of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import yaml

import bridge
from bridge import sandbox
from bridge.ehr import facts, ladder
from bridge.ehr.capability import Capability
from bridge.ehr.context import ShapeContext
from bridge.ehr.route import HANDOFF
from bridge.ehr.shape import discrete
from bridge.ehr.ways import CORRECTION, WHOLE, shipped
from bridge.mappings.functions import AgencyContext
from bridge.mappings.load import load, read_packs
from bridge.mappings.translate import Translator
from bridge.model import Fate, Interaction, Part, Severity, type_json
from bridge.sandbox.ehr import Ehr as SandboxEhr
from bridge.sandbox.ehr import Settings
from bridge.sandbox.statement import capability_statement
from bridge.settings.handoff import Handoff
from tests.flow.pilot import AGENCY, SYSTEM, Pilot, Site, pilot
from tests.flow.test_line import Ehr, child, patient

PACK = Path(bridge.__file__).parent / "mappings/packs/ma-soc"
SHAPES = {
    "epic": "epic", "oracle": "oracle", "athena": "athena", "ecw": "ecw", "nextgen": "nextgen",
    "nextgen-office": "nextgen", "openemr": "openemr", "open": "open",
}  # fmt: skip
"""Each sandbox's shape, and the vendor whose facts are known of it."""

KINDS = {
    "contact": "contact", "care-plan": "care-plan", "team": "team", "goal": "goal", "screening": "screening",
    "urgent-update": "urgent-update", "referral-answer": "referral-status", "service-referral": "service-referral",
    "person-update": "person-update",
}  # fmt: skip
"""Kinds as `ways.yaml` calls them → the pack's. A correction is the contact's, said again and then taken back."""

TYPES = tuple(name for name in shipped().written if name != WHOLE)
"""What may be written beside the document."""

EVERYTHING = ("DocumentReference", *TYPES)
OPENED: dict[str, dict[str, Any]] = {
    "ecw": {"writeback": list(EVERYTHING)},
    "epic": {"flowsheet_codes": None, "questionnaires": None},
}
"""What the sites that enabled everything have switched on and mapped in their EHR."""


@dataclass(frozen=True)
class Cells:
    """A project with a practice of each shape, and the EHRs."""

    pilot: Pilot
    ehrs: Mapping[str, Ehr]

    def say(self, kind: str, **more: Any) -> None:
        """The record of a kind about each practice's child, accepted."""
        made = [{**record(KINDS[kind], shape), **more} for shape in self.ehrs]
        fates = {one.fate for one in self.pilot.accept(f"ma-soc/{KINDS[kind]}", *made)}
        assert fates <= {Fate.NEW, Fate.VERSION, Fate.VOID}

    def entries(self, shape: str, kind: str) -> list[dict[str, Any]]:
        """What is to stand in this practice's chart of the kind's record."""
        return [one for one in self.pilot.entries() if one["practice"] == shape and thread(kind) in one["thread"]]


def thread(kind: str) -> str:
    return f"/{KINDS[kind]}/"


@cache
def cases(kind: str) -> Any:
    return yaml.safe_load((PACK / f"{kind}.cases.yaml").read_text(encoding="utf-8"))


def record(kind: str, shape: str) -> type_json:
    """The record of the first of the pack's own cases, of another child."""
    found = cases(kind)
    made: type_json = {**found["record"], **found["cases"][0].get("record", {})}
    made |= {"id": f"{made['id']}-{shape}", "child": f"K-{shape}"}
    made.pop("practice", None)
    if "caregiver" in made:
        made["caregiver"] = f"P-{shape}"
    return made


@contextmanager
def cells(folder: Path, *, everything: bool, shapes: Sequence[str] = tuple(SHAPES)) -> Iterator[Cells]:
    """A practice of each shape with one child in its chart, whose family agreed to everything that is asked for.

    `everything`: each practice enabled every type, and its EHR has what it needs for them.
    """
    with ExitStack() as stack:
        ehrs = {
            shape: Ehr(stack.enter_context(sandbox.start(shape, site=OPENED.get(shape) if everything else None)))
            for shape in shapes
        }
        handed = ", handoff: {{ way: folder, folder: handed/{0} }}" if everything else ""
        sites = [
            Site(
                shape,
                ehr.running.base_url,
                SHAPES[shape],
                EVERYTHING if everything else (),
                extra=f", referral_status: true{handed.format(shape)}",
            )
            for shape, ehr in ehrs.items()
        ]
        for shape in ehrs:  # the engine's, which makes its folder itself
            (folder / "handed" / shape).mkdir(parents=True)
        opened = stack.enter_context(pilot(folder, sites, timeout=30))
        for shape, ehr in ehrs.items():
            ehr.load(patient(f"m-{shape}"))
        lines = [f"{AGENCY},K-{shape},{shape},{SYSTEM},m-{shape}" for shape in ehrs]
        opened.roster("links", "agency,person,practice,system,value", lines)
        children = [child(f"K-{shape}", practice=shape, birth_date="2021-03-04") for shape in ehrs]
        opened.accept("ma-soc/child", *children)
        opened.consents(*(f"K-{shape},{shape},2020-01-01,,yes" for shape in ehrs))
        yield Cells(opened, ehrs)


# ── the page ──────────────────────────────────────────────────────────────────────────────────────────────────────
@dataclass(frozen=True)
class Asking:
    """A practice that enabled these types."""

    id: str
    enable: frozenset[str] = frozenset()
    routes: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    handoff: Handoff | None = None


def asking(shape: str, *, everything: bool) -> Asking:
    """With the defaults, or with everything enabled and a folder of its engine where its EHR takes no documents."""
    return Asking(shape, frozenset(EVERYTHING), handoff=Handoff("folder")) if everything else Asking(shape)


@dataclass(frozen=True)
class Cell:
    """The ways of one kind into one chart; `needs`: what the EHR would take if it were given more, and what that is."""

    used: tuple[str, ...]
    because: str
    needs: Mapping[str, str]

    @property
    def held(self) -> bool:
        return self.used == ("held",)


@cache
def capability(shape: str, everything: bool) -> Capability:
    """What an EHR of the shape takes, by its own statement and its vendor's facts."""
    site = OPENED.get(shape, {}) if everything else {}
    statement = capability_statement(SandboxEhr(shape, Settings(site=site)), "https://ehr.example/fhir/")
    enable = frozenset(EVERYTHING if everything else ())
    return Capability.from_statement(statement, facts.vendor(SHAPES[shape]), enable)


@cache
def translator() -> Translator:
    return Translator(load(read_packs(["ma-soc"], None)))


@cache
def made(kind: str) -> tuple[Part, ...]:
    """The canonical parts of a kind's record about the child."""
    agency = AgencyContext(AGENCY, "Harbor Family Partners", "outcomes", "America/New_York")
    said = record(KINDS[kind], "page")
    translation = translator().translate(f"ma-soc/{KINDS[kind]}", said, agency)
    return tuple(part for part in translation.parts if part.about == said["child"])


def cell(kind: str, shape: str, *, everything: bool) -> Cell:
    """The ways a record of the kind goes into an EHR of the shape."""
    known, site = capability(shape, everything), asking(shape, everything=everything)
    found = ladder.ways_of(kind, known, site)
    parts = {} if kind == CORRECTION else {part.type: part for part in made(kind)}
    used, needs = [], {}
    for way in found:
        if way.enabled and (way.route not in TYPES or way.route in parts):
            wrong = lacking(parts[way.route], known) if way.route in TYPES else ""
            if wrong:
                needs[way.route] = wrong
            else:
                used.append(way.route)
    return Cell(tuple(used) or ("held",), known.allows("DocumentReference", Interaction.CREATE).because, needs)


def lacking(part: Part, known: Capability) -> str:
    """What this EHR requires of a discrete write and the record does not say; "" where nothing."""
    context = ShapeContext("p-1", "DB-ABCDEFGHIJ23", known.vendor, "Harbor Family Partners", "America/New_York")
    errors = (one for one in discrete(part, context, made_beside(part)).findings if one.severity is Severity.ERROR)
    return next((f"{one.path}: {one.rule}" for one in errors), "")


def made_beside(part: Part) -> Sequence[Part]:
    return next(parts for kind in KINDS if part in (parts := made(kind)))


TITLES = {
    "epic": "Epic", "oracle": "Oracle", "athena": "athena", "ecw": "eClinicalWorks", "nextgen": "NextGen Enterprise",
    "nextgen-office": "NextGen Office", "openemr": "OpenEMR", "open": "open",
}  # fmt: skip
HEAD = """\
# Which way each kind of record goes into which EHR

Made from `bridge/ehr/ways.yaml`, the vendors' facts (`bridge/ehr/vendors`), the sandbox's EHRs shaped like the
vendors' (`bridge/sandbox/shapes`, where the sources stand) and the records of the pack `ma-soc`.
`tests/flow/test_cells.py` compares this page with them (`BRIDGE_TESTS_GOLDEN=write` writes it anew) and sends every
cell to the sandbox of its shape. A practice's own answer is `bridge capabilities PRACTICE`; no vendor's own EHR was
reached.

The document comes first: it carries the record whole. A discrete write stands beside it. *handoff*: the document is
handed to the practice's engine, a Direct address, a plug-in or a person ([handoff.md](handoff.md)); here to a folder.
*held*: nothing goes, and a person at the practice is told what to open; a number leads to the notes.
"""


def page() -> str:
    """docs/routes.md."""
    lines = [HEAD]
    notes: dict[str, int] = {}
    for everything in (False, True):
        title = "everything enabled, and a hand-off where no document is taken" if everything else "the defaults"
        lines += [f"## With {title}", "| kind | " + " | ".join(TITLES[shape] for shape in SHAPES) + " |"]
        lines += ["|---" * (len(SHAPES) + 1) + "|"]
        for kind in (*KINDS, CORRECTION):
            row = [told(cell(kind, shape, everything=everything), shape, notes) for shape in SHAPES]
            lines.append(f"| {kind} | " + " | ".join(row) + " |")
        lines.append("")
    lines += ["Notes:", *(f"{number}. {note}" for note, number in notes.items()), ""]
    return "\n".join([*lines, *losses()]) + "\n"


def told(found: Cell, shape: str, notes: dict[str, int]) -> str:
    """One cell; what it leaves open is a numbered note."""
    said = [", ".join(found.used)]
    if found.held:
        said.append(numbered(f"{TITLES[shape]}: {found.because}", notes))
    for type, wrong in found.needs.items():
        said.append(f"({type} {numbered(f'{type} is enabled and held: {wrong}', notes)})")
    return " ".join(said)


def numbered(note: str, notes: dict[str, int]) -> str:
    return f"[{notes.setdefault(note, len(notes) + 1)}]"


def losses() -> Iterator[str]:
    """What each way causes, and what it loses."""
    yield "## What each way causes and loses"
    yield "| kind | way | what it causes, or the reader sees | what does not get across |"
    yield "|---|---|---|---|"
    everything = asking("nextgen", everything=True)
    for kind in (*KINDS, CORRECTION):
        known = shipped().ladder(kind)
        order = [*(known.ways or shipped().corrections), HANDOFF]
        found = {way.route: way for way in ladder.ways_of(kind, capability("nextgen", True), everything)}
        for route in order:
            way = found[route]
            yield f"| {known.title} | {route} | {way.causes} | {'; '.join(way.loses) or '–'} |"
