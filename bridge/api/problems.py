"""Errors over HTTP as problem+json (RFC 9457), never with a value of what was sent."""

from __future__ import annotations

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from bridge import log
from bridge.errors import AccessError, BridgeError, LedgerError, Problem

MEDIA_TYPE = "application/problem+json"
HEADERS = {503: {"Retry-After": "60"}, 401: {"WWW-Authenticate": "Bearer"}}


class Refusal(Exception):
    """A request is refused as a whole, with a status and one problem."""

    def __init__(self, status: int, problem: Problem) -> None:
        super().__init__(problem.code)
        self.status = status
        self.problem = problem


def answer(status: int, problem: Problem) -> JSONResponse:
    """The problem as a response; 503 asks to come back in a minute, 401 says how to be known."""
    body = {"title": problem.rule, "status": status, **problem.as_dict()}
    return JSONResponse(body, status, HEADERS.get(status), media_type=MEDIA_TYPE)


def install(app: FastAPI) -> None:
    """Every error of this app leaves as problem+json; FastAPI's own answers, which echo the input, never do."""

    @app.exception_handler(Refusal)
    async def refused(request: Request, error: Refusal) -> JSONResponse:
        return answer(error.status, error.problem)

    @app.exception_handler(RequestValidationError)
    async def invalid(request: Request, error: RequestValidationError) -> JSONResponse:
        fields = ", ".join(".".join(str(part) for part in found["loc"]) for found in error.errors())
        return answer(422, Problem("request-invalid", "a parameter is missing or malformed", field=fields))

    @app.exception_handler(HTTPException)
    async def plain(request: Request, error: HTTPException) -> JSONResponse:
        if error.status_code == 405:
            found = answer(405, Problem("http-method", "this is not answered by that method"))
            found.headers.update(error.headers or {})  # Allow
            return found
        return answer(error.status_code, Problem("http", "there is nothing here"))

    @app.exception_handler(BridgeError)
    async def ours(request: Request, error: BridgeError) -> JSONResponse:
        status = 403 if isinstance(error, AccessError) else 503 if isinstance(error, LedgerError) else 400
        return answer(status, error.problems[0])

    @app.exception_handler(Exception)
    async def unforeseen(request: Request, error: Exception) -> JSONResponse:
        log.failure("request-failed", error, method=request.method)
        return answer(500, Problem("unforeseen", "the bridge failed", next_step="send it again; nothing is kept twice"))
