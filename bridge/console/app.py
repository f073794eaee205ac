"""The pages put together."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from importlib.resources import files

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from jinja2 import Environment, PackageLoader, StrictUndefined
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp

from bridge.console import answers, entrance, handing, needs, people, practices, recalling, records, sharing, words
from bridge.console.desk import Desk, Nothing, SignedOut, root
from bridge.console.guard import Guard
from bridge.errors import AccessError, BridgeError
from bridge.moves.line import Line

LARGEST = 4 * 1024 * 1024
"""Bytes of the largest form: a roster of fifty thousand rows."""


FOR_EVER = {"Cache-Control": "public, max-age=31536000, immutable"}
"""Of what changes its address when it changes."""


def console(line: Line, clock: Callable[[], int]) -> ASGIApp:
    """The pages over one line, to be mounted at `/console`."""
    style, picture = (files("bridge.console").joinpath(name).read_bytes() for name in ("style.css", "icon.svg"))
    version = hashlib.sha256(style).hexdigest()[:12]
    # No redirect for an address with a slash too many: it would repeat the query, and name whatever host was asked for.
    app = FastAPI(title="Dyad Bridge pages", docs_url=None, redoc_url=None, openapi_url=None, redirect_slashes=False)
    app.state.desk = Desk(line, clock, templates(line, version))
    refusals(app)
    for room in (entrance, needs, answers, records, people, practices, handing, sharing, recalling):
        app.include_router(room.routes)

    @app.get("/style.css")
    def stylesheet() -> Response:
        return Response(style, media_type="text/css", headers=FOR_EVER)

    @app.get("/icon.svg")
    def icon() -> Response:
        return Response(picture, media_type="image/svg+xml", headers=FOR_EVER)

    return Guard(app, LARGEST)


def templates(line: Line, version: str) -> Environment:
    """The templates: everything escaped, nothing undefined, times and names in words."""
    made = Environment(
        loader=PackageLoader("bridge.console"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.globals |= {"words": words, "project": line.project, "version": version}
    made.filters |= {
        "moment": words.moment, "day": words.day, "last_day": words.last_day, "iso": words.iso, "span": words.span,
        "what": words.what,
    }  # fmt: skip
    return made


def refusals(app: FastAPI) -> None:
    """What goes wrong becomes a page that says so and shows nothing of what was sent."""

    def page(request: Request, status: int, title: str, text: str = "", step: str = "") -> HTMLResponse:
        desk: Desk = request.app.state.desk
        return desk.page(request, "problem.html", None, status, title=title, text=text, step=step)

    @app.exception_handler(SignedOut)
    def signed_out(request: Request, error: SignedOut) -> RedirectResponse:
        return RedirectResponse(f"{root(request)}/sign-in", 303)

    @app.exception_handler(Nothing)
    def nothing(request: Request, error: Nothing) -> HTMLResponse:
        return page(request, 404, "There is nothing here", "It was moved, or it is not yours to see.")

    @app.exception_handler(HTTPException)
    def plain(request: Request, error: HTTPException) -> HTMLResponse:
        return page(request, error.status_code, "There is nothing here")

    @app.exception_handler(RequestValidationError)
    def invalid(request: Request, error: RequestValidationError) -> HTMLResponse:
        return page(request, 422, "This page was not asked for as it should be")

    @app.exception_handler(BridgeError)
    def ours(request: Request, error: BridgeError) -> HTMLResponse:
        status = 403 if isinstance(error, AccessError) else 503
        problem = error.problems[0]
        return page(request, status, "This did not work", problem.rule, problem.next_step)

    @app.exception_handler(Exception)
    def unforeseen(request: Request, error: Exception) -> HTMLResponse:  # the app around this one logs it
        return page(request, 500, "This did not work", "The bridge failed; who runs it finds out why in its log.")
