"""`bridge consents`: what families agreed to, from lists or one form at a time; taken back, suspended, as FHIR."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import orjson
import typer

from bridge import consent
from bridge.cli import show
from bridge.cli.options import BY, HERE, AsJson, ProjectDir, chosen
from bridge.cli.sharing import imported
from bridge.errors import ConfigError, Problem
from bridge.jobs import consents as forms
from bridge.jobs import rosters
from bridge.jobs.open import open_line
from bridge.jobs.worker import system_clock
from bridge.mappings.classes import ORDINARY
from bridge.model import Consent
from bridge.moves import answering, ending, granting
from bridge.moves.line import Line
from bridge.settings import load

consents = typer.Typer(help="What families agreed to.", no_args_is_help=True)
AgencyId = Annotated[str, typer.Argument(help="The agency's id.")]
PersonId = Annotated[str, typer.Argument(help="The agency's id of the person.")]
PracticeId = Annotated[str, typer.Argument(help="The practice's id.")]
FHIR = frozenset({".json", ".ndjson"})


@consents.command("import")
def take_in(
    roster: Annotated[Path, typer.Argument(help="A CSV file, or FHIR Consents as .json or .ndjson.")],
    agency: Annotated[str, typer.Option(help="Whose FHIR Consents these are.")] = "",
    project: ProjectDir = HERE,
    json: AsJson = False,
) -> int:
    """Import consents: agency,person,practice,from,until and narrative or classes; or FHIR Consents."""

    def importer(line: Line, path: Path, by: str, now: int) -> rosters.Imported:
        if path.suffix not in FHIR:
            return rosters.import_consents(line, path, by, now)
        return forms.import_fhir(line, chosen(line.project.agencies, agency, "agency").id, path, by, now)

    return imported(importer, "consents", roster, project, json)


@consents.command("give")
def give(
    agency: AgencyId,
    person: PersonId,
    practice: PracticeId,
    first: Annotated[str, typer.Option("--from", help="The first day, YYYY-MM-DD.")],
    until: Annotated[str, typer.Option(help="The last day.", show_default="until it is taken back")] = "",
    classes: Annotated[str, typer.Option(help="What may leave beside facts; `none` records a refusal.")] = ORDINARY,
    grantor: Annotated[str, typer.Option(help="The agency's id of who signed.")] = "",
    authority: Annotated[str, typer.Option(help="self, parent, guardian or state.")] = "",
    purpose: Annotated[str, typer.Option(help="care-coordination or treatment.")] = "",
    language: Annotated[str, typer.Option(help="In which it was explained.")] = "",
    form: Annotated[str, typer.Option(help="The number of the signed form, or where it is kept.")] = "",
    project: ProjectDir = HERE,
) -> int:
    """Record one signed form."""
    now = system_clock()
    cells = {
        "agency": agency, "person": person, "practice": practice, "from": first, "until": until, "classes": classes,
        "grantor": grantor, "authority": authority, "purpose": purpose, "language": language, "form": form,
    }  # fmt: skip
    with open_line(load(project), "command", now) as line:
        new = forms.give(line, cells, BY, now)
        answering.note(line, agency, BY, "consent-give", f"person {person} practice {practice}", now)
    show.say("recorded" if new else "known already")
    return show.DONE


@consents.command("list")
def listed(agency: AgencyId, person: PersonId, project: ProjectDir = HERE, json: AsJson = False) -> int:
    """Show the forms recorded of a person, and what each practice may be sent now."""
    now = system_clock()
    with open_line(load(project), "command", now) as line:
        known = chosen(line.project.agencies, agency, "agency")
        found = forms.of_person(line, agency, person)
        decisions = {name: ending.decision(line, agency, person, name, now) for name in known.practices}
        answering.note(line, agency, BY, "consent-list", f"person {person}", now)
    if json:
        told = {name: {"permit": one.permit, "classes": sorted(one.classes), "reason": one.reason}
                for name, one in decisions.items()}  # fmt: skip
        show.as_json({"consents": [as_row(one) for one in found], "now": told})
        return show.DONE
    for one in found:
        ends = "" if one.revoked is None else "; taken back"
        ends += "" if one.suspended is None else "; suspended"
        more = ", ".join(sorted(one.classes)) or "refused"
        show.say(f"{one.practice}: {more}; by {one.grantor or one.authority.value}; consent {one.id}{ends}")
    for name, decided in decisions.items():
        said = ", ".join(sorted(decided.classes)) if decided.permit else consent.WHY[decided.reason]
        show.say(f"now to {name}: {said}")
    return show.DONE if found else show.FINDINGS


def as_row(one: Consent) -> dict[str, object]:
    """A form as JSON."""
    return {
        "id": one.id, "practice": one.practice, "start": one.start, "until": one.until, "classes": sorted(one.classes),
        "grantor": one.grantor, "authority": one.authority.value, "purpose": one.purpose.value,
        "language": one.language, "form": one.document, "revoked": one.revoked, "suspended": one.suspended,
    }  # fmt: skip


@consents.command("revoke")
def revoke(agency: AgencyId, person: PersonId, practice: PracticeId, project: ProjectDir = HERE) -> int:
    """End a person's consents for a practice now; what has not gone stays."""
    now = system_clock()
    with open_line(load(project), "command", now) as line:
        if practice not in chosen(line.project.agencies, agency, "agency").practices:
            rule = "this agency works with no practice of this id"
            raise ConfigError(Problem("unknown-name", rule, "command line", "PRACTICE"))
        count = granting.revoke(line, agency, person, practice, BY, now)
        answering.note(line, agency, BY, "consent-revoke", f"person {person} practice {practice}", now)
        told = ending.how_told(line, agency, person, practice)
    stays = "; what stands was true and stays" if count else ""
    show.say(f"{count} {'consent' if count == 1 else 'consents'} revoked{stays}")
    if count:
        show.say(told)
    return show.DONE if count else show.FINDINGS


@consents.command("suspend")
def suspend(agency: AgencyId, person: PersonId, project: ProjectDir = HERE) -> int:
    """Who may consent for a person changed: what others signed is suspended, and the agency is asked who may now."""
    now = system_clock()
    with open_line(load(project), "command", now) as line:
        practices = chosen(line.project.agencies, agency, "agency").practices
        count = granting.suspend(line, agency, person, now)
        answering.note(line, agency, BY, "consent-suspend", f"person {person}", now)
        told = [ending.how_told(line, agency, person, one) for one in practices]
    show.say(f"{count} {'consent' if count == 1 else 'consents'} suspended")
    for one in told if count else ():
        show.say(one)
    return show.DONE if count else show.FINDINGS


@consents.command("export")
def export(agency: Annotated[str, typer.Option(help="Whose.")] = "", project: ProjectDir = HERE) -> int:
    """Show an agency's consents as FHIR R4 Consent resources, one a line (NDJSON)."""
    now = system_clock()
    with open_line(load(project), "command", now) as line:
        of = chosen(line.project.agencies, agency, "agency").id
        count = 0
        for resource in forms.as_fhir(line, of, now):
            show.say(orjson.dumps(resource).decode())
            count += 1
        answering.note(line, of, BY, "consent-export", f"consents {count}", now)
    return show.DONE
