"""`bridge referrals`: what practices referred to an agency, and whom the agency says it is."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from bridge.cli import show
from bridge.cli.options import BY, HERE, AsJson, ProjectDir, chosen
from bridge.errors import ConfigError, Problem
from bridge.jobs.files import Limits, read
from bridge.jobs.open import open_line
from bridge.jobs.worker import system_clock
from bridge.model import Accepted
from bridge.moves import referring
from bridge.settings import load
from bridge.store import referrals as store

referrals = typer.Typer(help="What practices referred to an agency.", no_args_is_help=True)
Number = Annotated[int, typer.Argument(help="The referral's number, as `bridge referrals list` shows it.")]


@referrals.command("accept")
def accept(
    file: Annotated[Path, typer.Argument(help="FHIR R4: a .json file, or .ndjson with one referral a line.")],
    practice: Annotated[str, typer.Option(help="Which practice referred.")] = "",
    agency: Annotated[str, typer.Option(help="To which agency; may be left out if there is one.")] = "",
    project: ProjectDir = HERE,
    json: AsJson = False,
) -> int:
    """Take a practice's referrals in; each is kept as it came, with every version of it."""
    loaded, now = load(project), system_clock()
    of, at = chosen(loaded.agencies, agency, "agency"), chosen(loaded.practices, practice, "practice")
    if at.id not in of.practices:
        rule = "this agency works with no practice of this id"
        raise ConfigError(Problem("unknown-name", rule, "command line", "--practice"))
    found: list[Accepted] = []
    problems: list[Problem] = []
    with open_line(loaded, "command", now) as line:
        for row in read(file, limits=Limits(record_bytes=loaded.limits.item_kib * 1024)):
            if isinstance(row, Problem):
                problems.append(row)
                continue
            answer = referring.accept(line, at, of, row.record, BY, now, row.where)
            found.append(answer)
            problems += [answer.problem] if answer.problem is not None else []
    taken = [one for one in found if one.problem is None]
    if json:
        answers = [{"referral": one.record, "fate": one.fate.value} for one in taken]
        show.as_json({"referrals": answers, "problems": [one.as_dict() for one in problems]})
    else:
        for one in taken:
            show.say(f"referral {one.record}: {one.fate.value}")
        show.problems(problems)
    return show.FINDINGS if problems else show.DONE


@referrals.command("list")
def listed(
    agency: Annotated[str, typer.Option(help="Only those to this agency.")] = "",
    practice: Annotated[str, typer.Option(help="Only those of this practice.")] = "",
    project: ProjectDir = HERE,
    json: AsJson = False,
) -> int:
    """Show the referrals, the latest first: from whom, in which state, about which of the agency's persons."""
    with open_line(load(project), BY, system_clock()) as line, line.ledger.read() as connection:
        found = store.listed(connection, agency, practice)
    shown = ("id", "agency", "practice", "state", "status", "ordinal", "subject", "received_at", "answered_by")
    if json:
        show.as_json({"referrals": [{name: one[name] for name in shown} for one in found]})
        return show.DONE
    for one in found:
        who = f"about {one['subject']}" if one["subject"] else "nobody said yet about whom"
        show.say(f"{one['id']:>8}  {one['practice']} → {one['agency']}  {one['state']} ({one['status']}), {who}")
    if not found:
        show.say("no practice referred anybody")
    return show.DONE


@referrals.command("place")
def place(
    referral: Number,
    person: Annotated[str, typer.Argument(help="The agency's id of the person it is about.")],
    project: ProjectDir = HERE,
) -> int:
    """Say whom a referral is about; the practice's number of the patient becomes that person's."""
    now = system_clock()
    with open_line(load(project), BY, now) as line:
        done = referring.place(line, referral, person, BY, now)
    show.say("placed" if done else "it was placed so before; nothing was changed")
    return show.DONE if done else show.FINDINGS


@referrals.command("decline")
def decline(referral: Number, project: ProjectDir = HERE) -> int:
    """Say that the agency does not take a referral, or has closed what the practice took back."""
    now = system_clock()
    with open_line(load(project), BY, now) as line:
        done = referring.decline(line, referral, BY, now)
    show.say("noted" if done else "it was said so before; nothing was changed")
    return show.DONE if done else show.FINDINGS
