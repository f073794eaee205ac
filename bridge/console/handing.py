"""What was handed over to a practice and waits: its pages, and a person's word that it is there or never came."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Form, Request
from fastapi.responses import Response

from bridge.access import Action
from bridge.console.desk import At, Author, Nothing, Who, back, require
from bridge.errors import ConfigError
from bridge.handoff.opening import named
from bridge.moves import confirming
from bridge.store import handoffs

routes = APIRouter()
Text = Annotated[str, Form()]


@routes.get("/practices/{name}/pages")
def pages(at: At, who: Who, name: str, reference: str = "") -> Response:
    """What was handed over last under a reference, as it was: for the agency's own staff."""
    agency = confirming.agency_of(at.line, name, reference)
    require(at, who, Action.SEE_RECORD, agency, name)
    try:
        over = confirming.pages(at.line, name, reference)
    except ConfigError:
        raise Nothing from None
    shown = {"Content-Disposition": f'attachment; filename="{named(over)}"'}
    return Response(over.body, media_type=over.mime, headers=shown)


@routes.post("/practices/handed")
def handed(
    request: Request, at: At, who: Author, practice: Text = "", reference: Text = "", verdict: Text = ""
) -> Response:
    """Somebody at the practice said that it is there, or that it never came."""
    agency = confirming.agency_of(at.line, practice, reference)
    require(at, who, Action.ANSWER, agency, practice)
    if verdict not in (handoffs.CONFIRMED, handoffs.AGAIN):
        raise Nothing
    count = confirming.confirm(at.line, practice, reference, verdict, who.principal.name, at.clock())
    return back(request, f"/practices/{practice}", f"handed-{verdict}" if count else "closed")
