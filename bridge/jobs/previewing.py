"""Of one record that is tried: what would leave to one practice, what not and why, and the document it would get.

No server and no ledger: that the practice knows the person is taken as given, and of people the guard knows those whom
the record itself names.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import orjson

from bridge.ehr import facts, presets
from bridge.ehr.context import ShapeContext, Shaped
from bridge.ehr.facts import VendorFacts
from bridge.ehr.route import NEVER_ALONE
from bridge.ehr.shape import document
from bridge.errors import Problem
from bridge.intake.rows import Row
from bridge.jobs.signed import Signed
from bridge.jobs.trial import Trial
from bridge.jobs.trying import MADE, Tried, tried
from bridge.mappings.functions import AgencyContext
from bridge.mappings.records import tidy
from bridge.model import Hold, Part, Severity, type_json
from bridge.moves import guarding, own_record
from bridge.release import part2, trial
from bridge.release.trial import Asked, plain_practice
from bridge.settings import Agency, Contact, Practice, Program, Project
from bridge.store.kin import Near, names

NOT_SENT = "(not sent)"
SHOWN = frozenset({"text/plain", "application/xhtml+xml", "text/html"})
"""Formats that can be read as they are."""


@dataclass(frozen=True, slots=True)
class Recipient:
    """To whom: a practice and its EHR as the project has them; whose records; the consents; the instant that counts."""

    agency: Agency
    practice: Practice
    vendor: VendorFacts
    programs: Mapping[str, Program]
    signed: Signed
    now: int


@dataclass(frozen=True, slots=True)
class Charted:
    """One person's chart: every part and section, what would be waited for, and the document as the practice gets it.

    `mime` is "" where no document leaves. `text` is the document as it is, or where its format is not one to be read so
    its words as plain text; then `data` is the document (base64).
    """

    chart: trial.Chart
    holds: tuple[Hold, ...] = ()
    mime: str = ""
    text: str = field(default="", repr=False)
    data: str = field(default="", repr=False)
    wrong: tuple[str, ...] = ()
    places: Mapping[int, str] = field(default_factory=dict)

    def consents(self, ids: Sequence[int]) -> list[str]:
        """Where the forms of these numbers stand."""
        return [self.places.get(one, "") for one in ids]

    def as_dict(self) -> type_json:
        """The same, for programs; the shape is stable."""
        return {
            "person": self.chart.person,
            "role": self.chart.role,
            "permit": self.chart.gate.decision.permit,
            "reason": self.chart.gate.decision.reason,
            "rows": [
                {
                    "part": row.part,
                    "type": row.type,
                    "section": row.section,
                    "classes": list(row.classes),
                    "leaves": row.leaves,
                    "rule": row.rule,
                    "consents": self.consents(row.consents),
                }
                for row in self.chart.rows
            ],
            "holds": [
                {"reason": str(one.reason), "rule": one.rule, "next_step": one.next_step, "owner": str(one.owner)}
                for one in self.holds
            ],
            "document": {"mime": self.mime, "text": self.text, "data": self.data, "wrong": list(self.wrong)}
            if self.mime
            else None,
        }


def agency_of(project: Project | None, context: AgencyContext, practice: str) -> Agency:
    """The project's agency; outside a project one that works with this practice alone."""
    if project is not None:
        return project.agencies[context.id]
    nobody = Contact(context.name, "nobody@example.org")
    return Agency(
        context.id, context.name, "synthetic", context.program, context.timezone, nobody, (practice,), context.language
    )


def chart_of(project: Project | None, agency: Agency, practice: str) -> tuple[Practice, VendorFacts]:
    """The practice and its EHR as the project has them; outside a project one that asked for nothing in particular."""
    if project is None:
        return plain_practice(practice, agency.timezone), facts.vendor("generic")
    known = project.practices[practice]
    vendor = facts.of_project(project.connections[known.connection].vendor, project.vendors)
    return known, presets.of_site(vendor, known)


def previewed(setup: Trial, row: Row | Problem, to: Recipient) -> tuple[Tried, tuple[Charted, ...]]:
    """What becomes of one record, and of what is made of it what would leave."""
    found = tried(setup, row)
    if isinstance(row, Problem) or found.state != MADE:
        return found, ()
    kind = setup.translator.mappings.kinds[setup.kind]
    opened = kind.open(tidy(kind.strip(row.record)), to.agency.timezone)
    program = to.programs.get(opened.program or to.agency.program)
    asked = Asked(to.agency.id, to.agency.timezone, to.practice, program, to.signed.consents, to.now)
    return found, tuple(
        charted(one, found.parts, setup, to, own=one.person == opened.subject)
        for one in trial.charts(found.parts, kind, opened.when, asked)
    )


def charted(chart: trial.Chart, parts: Sequence[Part], setup: Trial, to: Recipient, *, own: bool) -> Charted:
    """One chart with what would be waited for and the document; `own`: the record is this person's."""
    kind = setup.kind
    leaving = [part for part in chart.released.parts if part.type not in NEVER_ALONE or part.type == "Composition"]
    told = [part for part in chart.released.parts if part.type != "Provenance"]
    waits = [chart.gate.hold] if chart.gate.hold is not None else []
    if leaving:
        near = near_of(parts, chart.person)
        guarded = guarding.hold(told, lambda: near, to.agency.guard, to.practice, kind, "", "")
        waits += [guarded] if guarded is not None else []
        waits += by_others(chart, setup, to, own=own)
    found = Charted(chart, tuple(waits), places=to.signed.places)
    if not any(part.type == "Composition" for part in leaving):
        return found
    delivery = context(to, chart, told, kind)
    shaped = document(told, delivery)
    wrong = tuple(one.rule for one in shaped.findings if one.severity is Severity.ERROR)
    mime, data = attached(shaped)
    if mime in SHOWN:
        return replace(found, mime=mime, text=base64.b64decode(data).decode(), wrong=wrong)
    plain = document(told, replace(delivery, mime="text/plain", vendor=facts.vendor("generic")))
    text = base64.b64decode(attached(plain)[1]).decode()
    return replace(found, mime=mime or to.practice.document.mime, text=text, data=data, wrong=wrong)


def by_others(chart: trial.Chart, setup: Trial, to: Recipient, *, own: bool) -> list[Hold]:
    """What is waited for where the record tells of somebody else, unless a record of their own came before."""
    mappings = setup.translator.mappings
    about = [part for part in chart.released.parts if part.about == chart.person]
    if not own_record.told_of(mappings, setup.kind, about, own=own):
        return []
    waits = own_record.hold(to.agency.id, chart.person, chart.role, own_record.own_kinds(mappings, chart.role))
    return [replace(waits, rule=f"unless a record of their own came before: {waits.rule}")]


def attached(shaped: Shaped) -> tuple[str, str]:
    """The format and the document (base64) in a shaped resource; "" where there is none."""
    for content in shaped.resource.get("content", []):
        attachment = content["attachment"]
        return str(attachment["contentType"]).partition(";")[0], str(attachment["data"])
    return "", ""


def context(to: Recipient, chart: trial.Chart, told: Sequence[Part], kind: str) -> ShapeContext:
    """One delivery that is not made: the settings of the practice, and what accompanies substance use records."""
    wants, agency = to.practice.document, to.agency
    return ShapeContext(
        patient_id="not-sent",
        reference=NOT_SENT,
        vendor=to.vendor,
        agency=agency.name,
        zone=agency.timezone if wants.zone == "agency" else to.practice.timezone,
        mime=wants.mime,
        otherwise=wants.otherwise,
        encounter_link=wants.encounter_link,
        language=wants.language,
        kind=kind,
        types=wants.types,
        author=wants.author,
        contact=agency.contact.name,
        phone=agency.phone or agency.contact.phone,
        disclosure=part2.disclosure(
            told, chart.gate.decision, to.signed.consents, to.practice, agency.timezone
        ),
    )  # fmt: skip


def near_of(parts: Sequence[Part], person: str) -> Near:
    """The names that the record itself gives: the person's own, and of whoever else it has a Patient of."""
    patients = [part for part in parts if part.type == "Patient"]
    own = [name for part in patients if part.about == person for name in names(orjson.dumps(part.resource))]
    others = [name for part in patients if part.about != person for name in names(orjson.dumps(part.resource))]
    return Near(own=tuple(own), caregivers=tuple(others))
