"""Where each record is: a list to narrow down, and one record's life from the agency's word to the chart."""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from bridge import access
from bridge.access import Action, Role
from bridge.console.desk import At, Nothing, Who, require
from bridge.console.telling import tell
from bridge.model import EntryState, RecordState
from bridge.moves import showing
from bridge.store import browsing, views

routes = APIRouter()
PAGE = 50
STATES = {
    "held": "waits for an answer",
    "accepted": "received, not prepared yet",
    "ready": "waits its turn",
    "unknown": "sent; arrival being checked",
    "delivered": "in the chart",
    "refused": "not permitted by the practice's EHR",
    "cancelled": "not sent",
    "retracted": "taken back",
    browsing.KEPT: "stays with the agency, as somebody decided",
    "superseded": "replaced by a newer version",
}
"""What the list can be narrowed down to, in the words of the choice."""


@routes.get("/records")
def records(
    request: Request, at: At, who: Who, state: str = "", practice: str = "", before: int | None = None
) -> HTMLResponse:
    """The latest records that this person may see."""
    if who.principal.role is Role.PRACTICE_READER:
        raise Nothing
    project = at.line.project
    agency = who.principal.agency
    practices = project.agencies[agency].practices if agency else tuple(project.practices)
    state = state if state in {*RecordState, *EntryState, browsing.KEPT} else ""
    practice = practice if practice in practices else ""
    with at.line.ledger.read() as connection:
        found = browsing.find_records(
            connection, agency=agency, practice=practice, state=state, before=before, limit=PAGE + 1
        )
    more = found[PAGE - 1]["id"] if len(found) > PAGE else None
    return at.page(
        request, "records.html", who, records=found[:PAGE], more=more, state=state, practice=practice,
        practices=practices, states=STATES, later=before is not None,
    )  # fmt: skip


@routes.get("/records/{number}")
def life(request: Request, at: At, who: Who, number: int) -> HTMLResponse:
    """One record's life."""
    with at.line.ledger.read() as connection:
        found = views.life(connection, number)
        versions = browsing.versions(connection, found["record"]["thing"]) if found is not None else []
    if found is None:
        raise Nothing
    record = found["record"]
    require(at, who, Action.SEE_STATUS, record["agency"])
    reads = access.may(who.principal, Action.SEE_RECORD, agency=record["agency"])
    kind = at.line.translator.mappings.kinds.get(record["kind"])
    return at.page(
        request,
        "life.html",
        who,
        record=record,
        entries=found["entries"],
        told=tell(found, versions, at.line.project),
        versions=versions,
        charts=showing.leaving(at.line, record, at.clock()) if reads else [],
        title=kind.title if kind is not None else record["kind"],
        open_holds=[hold for hold in found["holds"] if hold["closed_at"] is None],
    )
