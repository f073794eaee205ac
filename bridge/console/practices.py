"""What each practice has, what waits for it, and whether its EHR can be reached."""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from bridge.access import Action, Role, may
from bridge.console.desk import At, Desk, Nothing, Who
from bridge.console.signing import Visitor
from bridge.jobs.standing import handings, standings
from bridge.model import EntryState
from bridge.store import browsing, handoffs, suspending, views

routes = APIRouter()


@routes.get("/practices")
def practices(request: Request, at: At, who: Who) -> HTMLResponse:
    """The practices this person has to do with."""
    now = at.clock()
    with at.line.ledger.read() as connection:
        shares = browsing.shares(connection, who.principal.agency)
        reached = browsing.connections(connection, now)
        stopped = suspending.suspensions(connection)
        engineer = who.principal.role is Role.ENGINEER
        counts = views.practice_counts(connection) if engineer else {}
        standing = standings(at.line, connection, now, counts) if engineer else []
        handed = handings(at.line.project, connection, now, counts) if engineer else []
    mine = visible(at, who)
    nothing = {"entries": {state.value: 0 for state in EntryState}, "holds": 0, "oldest": None, "behind": 0}
    rows = [(at.line.project.practices[name], shares.get(name, nothing)) for name in mine]
    return at.page(
        request, "practices.html", who, rows=rows, reached=reached, stopped=stopped, standing=standing, handings=handed
    )


@routes.get("/practices/{name}")
def practice(request: Request, at: At, who: Who, name: str, said: str = "") -> HTMLResponse:
    """One practice: what came to stand in its charts last, by delivery reference."""
    if name not in visible(at, who):
        raise Nothing
    with at.line.ledger.read() as connection:
        reached = browsing.connections(connection, at.clock())
        share = browsing.shares(connection, who.principal.agency).get(name)
        latest = browsing.latest_delivered(connection, name, who.principal.agency)
        handed = handoffs.waiting(connection, name, agency=who.principal.agency, limit=100)
        stopped = suspending.suspensions(connection).get(name)
    shown = at.line.project.practices[name]
    reader = who.principal.role is Role.PRACTICE_READER
    return at.page(
        request, "practice.html", who, practice=shown, share=share, latest=latest, reader=reader, handed=handed,
        stopped=stopped, said=said, reached=reached.get(shown.connection), channels=reached,
    )  # fmt: skip


def visible(at: Desk, who: Visitor) -> list[str]:
    """The practices of which this person may see the counts: their own, their agency's, or all."""
    project = at.line.project
    agency = project.agencies.get(who.principal.agency)
    known = agency.practices if agency is not None else tuple(project.practices)
    own = {"agency": who.principal.agency}
    return sorted(name for name in known if may(who.principal, Action.SEE_STATUS, practice=name, **own))
