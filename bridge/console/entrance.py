"""Coming in and going out. A link only shows a button: mail scanners that follow links use nothing up."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Form, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from bridge.console import signing
from bridge.console.desk import COOKIE, At, Author, root
from bridge.moves.line import SECOND

routes = APIRouter()


@routes.get("/sign-in")
def explain(request: Request, at: At) -> HTMLResponse:
    """How to get in."""
    return at.page(request, "entrance.html", token="", spent=False)


@routes.get("/sign-in/{token}")
def offer(request: Request, at: At, token: str) -> HTMLResponse:
    """The button that uses the link."""
    return at.page(request, "entrance.html", token=token, spent=False)


@routes.post("/sign-in")
def enter(request: Request, at: At, token: Annotated[str, Form()] = "") -> Response:
    """A session for the link; the same words for one that was used, has expired or never was."""
    session = signing.sign_in(at.line, token, at.clock())
    if session is None:
        return at.page(request, "entrance.html", status=403, token="", spent=True)
    answer = RedirectResponse(f"{root(request)}/", 303)
    url = at.line.project.server.url
    answer.set_cookie(
        COOKIE,
        session,
        max_age=signing.SESSION_LASTS // SECOND,
        path=root(request) or "/",
        secure=(url or "").startswith("https") or request.url.scheme == "https",
        httponly=True,
        samesite="lax",
    )
    return answer


@routes.post("/sign-out")
def leave(request: Request, at: At, who: Author) -> RedirectResponse:
    """The session is over, here and in the ledger."""
    signing.sign_out(at.line, request.cookies.get(COOKIE, ""), who, at.clock())
    answer = RedirectResponse(f"{root(request)}/sign-in", 303)
    answer.delete_cookie(COOKIE, path=root(request) or "/")
    return answer
