"""Records brought to the point of leaving in a ledger that is thrown away: for `bridge try --practice`.

Intake, translation, release and planning are the line's own. Taken as given: that the practice knows each person, and
where no consents are given that the family agreed to all that can be agreed to.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from bridge import pipeline
from bridge.ehr import facts, presets, ways
from bridge.ehr.chart import Chart
from bridge.intake.rows import Row
from bridge.jobs.collect import accept_rows
from bridge.jobs.rehearsing import OWNER, stand_in_of
from bridge.jobs.trial import Trial
from bridge.jobs.trying import tried
from bridge.mappings.classes import GRANTABLE
from bridge.mappings.kinds import Permission
from bridge.model import Accepted, Consent, Terms, type_json
from bridge.moves import granting
from bridge.moves.line import Line
from bridge.settings import Agency, Project
from bridge.store import permissions, records
from bridge.store.ledger import Ledger

KNOWN_BY = "urn:dyad-bridge:rehearsal"
"""The system of the numbers by which the practice is taken to know each person."""

KEY_BYTES = 32
BATCH = 64
SECOND = 1_000_000


@contextmanager
def scratch(project: Project, trial: Trial, practice: str, statement: type_json) -> Iterator[Line]:
    """The project's line to this practice over an empty ledger, its EHR known by this statement.

    Raises DefinitionError where that is none.
    """
    known = project.practices[practice]
    connection = project.connections[known.connection]
    vendor = presets.of_site(facts.of_project(connection.vendor, project.vendors), known)
    with tempfile.TemporaryDirectory(prefix="bridge-try-") as folder:
        ledger = Ledger(f"sqlite:///{Path(folder) / 'scratch.sqlite'}", os.urandom(KEY_BYTES))
        try:
            ledger.migrate()
            agencies = {name: replace(one, practices=(practice,)) for name, one in project.agencies.items()}
            alone = replace(project, agencies=agencies, practices={practice: replace(known, pilot=None)})
            line = Line(alone, ledger, trial.translator, trial.validator)
            client = stand_in_of(connection).client
            chart = Chart(known, connection, vendor, client, ways=ways.of_project(project.ways))
            known_so = chart.knowing(statement, frozenset()) if chart.serves else chart.without_server()
            line.charts[practice] = known_so
            yield line
        finally:
            ledger.close()


def bring(
    line: Line,
    trial: Trial,
    agency: Agency,
    practice: str,
    rows: Sequence[Row],
    given: Sequence[Consent] | None,
    now: int,
) -> list[Accepted]:
    """The records are accepted, translated and planned; their fates.

    `given` are the consents; None = everybody agreed to everything.
    """
    people = dict.fromkeys(part.about for row in rows for part in tried(trial, row).parts)
    links = [
        granting.link_of(line, agency.id, person, practice, KNOWN_BY, f"number-{at}", "roster", OWNER, now)
        for at, person in enumerate(people, 1)
    ]
    line.write_all(permissions.make_link, links)
    forms = (
        [permission_of(one) for one in given] if given is not None else [all_of(person, practice) for person in people]
    )
    consents = [
        granting.consent_of(line, agency.id, form, "roster", f"{OWNER}-{at}", OWNER, now)
        for at, form in enumerate(forms)
    ]
    line.write_all(permissions.give_consent, consents)
    fates = list(accept_rows(line, agency, trial.kind, rows, now))
    ask = records.Claim(line.ledger, OWNER, BATCH, now, now + line.project.limits.lease_seconds * SECOND)
    while works := line.ledger.write(records.claim, ask):
        pipeline.translate(line, works, OWNER, now)
    return fates


def all_of(person: str, practice: str) -> Permission:
    """A consent to everything that one can be given to."""
    return Permission(person, practice, 0, None, None, Terms(GRANTABLE))


def permission_of(given: Consent) -> Permission:
    """A consent that was read of a file, as a record gives it."""
    terms = Terms(
        given.classes, given.grantor, given.authority, given.purpose, given.language, given.document
    )  # fmt: skip
    return Permission(given.person, given.practice, given.start, given.until, given.revoked, terms)
