"""What went to a wrong chart, or was wrong: looked at first, then taken back; and the incidents there were."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Form, Request
from fastapi.responses import HTMLResponse, Response

from bridge.access import Action, may
from bridge.console.desk import At, Author, Desk, Nothing, Who, back, require
from bridge.console.people import named
from bridge.console.signing import Visitor
from bridge.errors import ConfigError, Problem
from bridge.moves import recalling
from bridge.moves.recalling import Asked
from bridge.store import recalls

routes = APIRouter()
Text = Annotated[str, Form()]
Steps = list[dict[str, Any]]


@routes.get("/people/{number}/recall")
def charts(request: Request, at: At, who: Who, number: int) -> HTMLResponse:
    """What of this person went to which charts."""
    return charts_page(request, at, who, number)


@routes.post("/people/{number}/recall/preview")
def preview(
    request: Request, at: At, who: Author, number: int, practice: Text = "", chart: Text = "", reason: Text = "",
    since: Text = "",
) -> HTMLResponse:  # fmt: skip
    """What would be done about each document; nothing is changed."""
    try:
        asked, steps = went(at, who, number, practice, chart, reason, since)
    except ConfigError as error:
        return charts_page(request, at, who, number, error.problems)
    return preview_page(request, at, who, number, asked, steps, since)


@routes.post("/people/{number}/recall")
def recall(
    request: Request, at: At, who: Author, number: int, practice: Text = "", chart: Text = "", reason: Text = "",
    since: Text = "", seen: Text = "",
) -> Response:  # fmt: skip
    """All that was looked at is taken back, in the name of who is signed in."""
    try:
        asked, steps = went(at, who, number, practice, chart, reason, since)
        if seen != seen_of(steps):
            changed = Problem("recall-changed", "more went there since you looked", "answer", next_step="look again")
            return preview_page(request, at, who, number, asked, steps, since, [changed])
        _, done = recalling.recall(at.line, asked, who.principal.name, at.clock())
    except ConfigError as error:
        return charts_page(request, at, who, number, error.problems)
    return back(request, f"/incidents/{done.incident}", "recalled", done.entries)


@routes.get("/incidents")
def incidents(request: Request, at: At, who: Who) -> HTMLResponse:
    """Every incident, the latest first."""
    operates(who)
    with at.line.ledger.read() as connection:
        found = recalls.incidents(connection)
    known = [one for one in reversed(found) if one["agency"] in at.line.project.agencies]
    return at.page(request, "incidents.html", who, incidents=known)


@routes.get("/incidents/{number}")
def incident(request: Request, at: At, who: Who, number: int, said: str = "", count: int = 0) -> HTMLResponse:
    """One incident: who opened it and why, what went there, and where each document is by now."""
    found = one(at, who, number)
    with at.line.ledger.read() as connection:
        steps = recalls.went(connection, found["agency"], found["source"], found["practice"], found["since"])
    there = [step for step in steps if step["patient"] == found["patient"] and step["begun_at"] <= found["opened_at"]]
    people = {person.id: person.name for person in at.line.project.people.values()}
    return at.page(
        request, "incident.html", who, incident=found, documents=recalling.first_steps(there), said=said, count=count,
        by=people.get(found["opened_by"], found["opened_by"]), rule=recalling.RULES[found["reason"]],
        lifts=found["reason"] == recalls.WRONG_CHART and not found["lifted_at"],
    )  # fmt: skip


@routes.post("/incidents/{number}/lift")
def lift(request: Request, at: At, who: Author, number: int) -> Response:
    """The recall was the mistake."""
    found = one(at, who, number)
    if found["reason"] != recalls.WRONG_CHART:
        raise Nothing
    done = recalling.lift(at.line, number, who.principal.name, at.clock())
    return back(request, f"/incidents/{number}", "recall-lifted" if done else "closed")


def one(at: Desk, who: Visitor, number: int) -> dict[str, Any]:
    """The incident of this number; Nothing where there is none, or it is not for this person."""
    operates(who)
    with at.line.ledger.read() as connection:
        found = next((one for one in recalls.incidents(connection) if one["id"] == number), None)
    if found is None or found["agency"] not in at.line.project.agencies:
        raise Nothing
    return found


def operates(who: Visitor) -> None:
    """Returns for who may recall; else Nothing."""
    if not may(who.principal, Action.OPERATE):
        raise Nothing


def went(
    at: Desk, who: Visitor, number: int, practice: str, chart: str, reason: str, since: str
) -> tuple[Asked, Steps]:
    """What is asked to be recalled, and every step of it. Raises ConfigError."""
    operates(who)
    agency, source = named(at, number)
    require(at, who, Action.OPERATE, agency)
    if not reason:
        raise ConfigError(Problem("answer-missing", "say why it is taken back", "answer"))
    start = recalling.instant_of(f"{since.strip()}+00:00" if since.strip() else "", "answer", "since")
    asked = Asked(agency, source, practice, start, chart, reason)
    return asked, recalling.went(at.line, asked)


def seen_of(steps: Sequence[dict[str, Any]]) -> str:
    """Changes with what went there."""
    return f"{len(steps)}-{max((step['id'] for step in steps), default=0)}"


def charts_page(
    request: Request, at: Desk, who: Visitor, number: int, problems: Sequence[Problem] = ()
) -> HTMLResponse:
    """Every chart to which something of this person went, and the form that looks at one."""
    operates(who)
    agency, source = named(at, number)
    require(at, who, Action.OPERATE, agency)
    found: dict[tuple[str, str], Steps] = {}
    with at.line.ledger.read() as connection:
        for practice in at.line.project.practices:
            for step in recalls.went(connection, agency, source, practice):
                found.setdefault((practice, step["patient"]), []).append(step)
    return at.page(
        request, "recall.html", who, 422 if problems else 200, number=number, agency=agency, source=source,
        charts=[(*key, steps) for key, steps in found.items()], problems=problems,
    )  # fmt: skip


def preview_page(
    request: Request, at: Desk, who: Visitor, number: int, asked: Asked, steps: Steps, since: str,
    problems: Sequence[Problem] = (),
) -> HTMLResponse:  # fmt: skip
    """What would be done, and the form that does it."""
    chart = steps[0]["patient"]
    agency, practice = at.line.project.agencies[asked.agency], at.line.project.practices[asked.practice]
    return at.page(
        request, "recalling.html", who, 422 if problems else 200, number=number, asked=asked, chart=chart,
        since=since, documents=recalling.documents(at.line, steps), seen=seen_of(steps), problems=problems,
        rule=recalling.RULES[asked.reason], practice=practice,
        told=[agency.privacy_contact or agency.contact, practice.privacy_contact or practice.contact],
    )  # fmt: skip
