"""Lists taken in: consents as families gave them, and the practices' own numbers of their patients."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from fastapi import APIRouter, Request, UploadFile
from fastapi.responses import HTMLResponse

from bridge.console.desk import At, Author, Desk, Nothing, Who, may_of
from bridge.console.signing import Visitor
from bridge.errors import ConfigError, Problem
from bridge.jobs import rosters
from bridge.moves import answering
from bridge.moves.line import Line

routes = APIRouter()
Importer = Callable[[Line, Path, str, int], rosters.Imported]
SHOWN = 50
"""Problems that are shown; more have the same cause, as a rule."""


@routes.get("/sharing")
def sharing(request: Request, at: At, who: Who) -> HTMLResponse:
    """The two lists that can be taken in."""
    if not allowed(who):
        raise Nothing
    return at.page(request, "sharing.html", who, result=None, which="", problems=(), more=0)


@routes.post("/sharing/consents")
def consents(request: Request, at: At, who: Author, file: UploadFile) -> HTMLResponse:
    """A list of consents."""
    if not may_of(who)["consent"]:
        raise Nothing
    return taken(request, at, who, file, "consents", rosters.import_consents)


@routes.post("/sharing/links")
def links(request: Request, at: At, who: Author, file: UploadFile) -> HTMLResponse:
    """A practice's list of its patients' numbers."""
    if not allowed(who):
        raise Nothing
    return taken(request, at, who, file, "links", rosters.import_links)


def taken(request: Request, at: Desk, who: Visitor, file: UploadFile, which: str, importer: Importer) -> HTMLResponse:
    """What is good in the list is taken, and the page says what was not and why; a row of another agency is not."""
    now, by = at.clock(), who.principal.name
    own = at.line.project.agencies
    if who.principal.agency:
        own = {who.principal.agency: own[who.principal.agency]}
    theirs = replace(at.line, project=replace(at.line.project, agencies=own))
    result: rosters.Imported | None = None
    problems: tuple[Problem, ...] = ()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"{which}.csv"
        path.write_bytes(file.file.read())
        try:
            result = importer(theirs, path, by, now)
            problems = result.problems
        except ConfigError as error:
            problems = error.problems
    if result is not None and result.new + result.known:
        about = f"{which} new {result.new} known {result.known}"
        for agency in own:
            answering.note(at.line, agency, by, f"import-{which}", about, now)
    shown = problems[:SHOWN]
    return at.page(
        request, "sharing.html", who, 422 if problems else 200,
        result=result, which=which, problems=shown, more=len(problems) - len(shown),
    )  # fmt: skip


def allowed(who: Visitor) -> bool:
    """Whether this person takes in lists: those who say which chart is whose; engineers for every agency."""
    return may_of(who)["link"]
