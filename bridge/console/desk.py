"""What every page needs: the line, the clock, the templates, and who is asking."""

from __future__ import annotations

import hmac
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import Depends, Form, Request
from fastapi.responses import HTMLResponse, RedirectResponse
from jinja2 import Environment

from bridge import access
from bridge.access import Action, Role
from bridge.console import signing
from bridge.console.signing import Visitor
from bridge.errors import AccessError, Problem
from bridge.moves.line import Line
from bridge.store import needs
from bridge.store.needs import Scope

COOKIE = "bridge_session"


@dataclass(frozen=True, slots=True)
class Desk:
    """One for each app."""

    line: Line
    clock: Callable[[], int]
    templates: Environment

    def page(
        self, request: Request, name: str, who: Visitor | None = None, status: int = 200, **given: Any
    ) -> HTMLResponse:
        """The template of this name as a page; signed in, with the number of cases that wait for `who`."""
        context: dict[str, Any] = {"base": root(request), "path": request.scope["path"], "now": self.clock()}
        if who is not None:
            with self.line.ledger.read() as connection:
                waiting = needs.count_cases(connection, turn_of(who))
            context |= {"who": who, "my_turn": waiting, "may": may_of(who), "zone": self.zone(who)}
        return HTMLResponse(self.templates.get_template(name).render(context | given), status)

    def zone(self, who: Visitor) -> str:
        """The time zone in which this person reads times."""
        project = self.line.project
        if who.principal.agency:
            return project.agencies[who.principal.agency].timezone
        if who.principal.practice:
            return project.practices[who.principal.practice].timezone
        return "UTC"


class SignedOut(Exception):
    """Nobody is signed in, or no longer."""


class Nothing(Exception):
    """There is no such thing, or not for this person: the page says the same for both."""


def desk(request: Request) -> Desk:
    """The app's desk."""
    found: Desk = request.app.state.desk
    return found


def root(request: Request) -> str:
    """Where the pages begin, without a slash at the end."""
    return str(request.scope.get("root_path", ""))


def visitor(request: Request, at: Annotated[Desk, Depends(desk)]) -> Visitor:
    """Who is signed in; SignedOut where nobody is."""
    found = signing.visitor(at.line, request.cookies.get(COOKIE, ""), at.clock())
    if found is None:
        raise SignedOut
    return found


def author(who: Annotated[Visitor, Depends(visitor)], csrf: Annotated[str, Form()] = "") -> Visitor:
    """Who sends this form from a page of ours; AccessError for a form from elsewhere, or of an earlier session."""
    if not hmac.compare_digest(csrf.encode(), who.csrf.encode()):
        step = "go back, load the page again and repeat what you did"
        raise AccessError(Problem("form-foreign", "this form is not from the page you are looking at", next_step=step))
    return who


At = Annotated[Desk, Depends(desk)]
Who = Annotated[Visitor, Depends(visitor)]
Author = Annotated[Visitor, Depends(author)]


def scope_of(who: Visitor) -> Scope:
    """Whose holds this person sees. A practice sees what is its turn."""
    owner = needs_owner(who) if who.principal.role is Role.PRACTICE_READER else ""
    return Scope(who.principal.agency, who.principal.practice, owner)


def turn_of(who: Visitor) -> Scope:
    """The holds whose turn is this person's."""
    return Scope(who.principal.agency, who.principal.practice, needs_owner(who))


def needs_owner(who: Visitor) -> str:
    """What holds call this person's side."""
    return {Role.AGENCY_STAFF: "agency", Role.PRACTICE_READER: "practice"}.get(who.principal.role, "engineer")


def may_of(who: Visitor) -> Mapping[str, bool]:
    """What this person may do with their own, for templates."""
    own = {"agency": who.principal.agency, "practice": who.principal.practice}
    return {action.name.lower(): access.may(who.principal, action, **own) for action in Action}


def require(at: Desk, who: Visitor, action: Action, agency: str, practice: str = "") -> None:
    """Returns where this person may do it with what is the agency's; else Nothing: it is not told that it exists.

    So it is with what is left of an agency that was taken out of `bridge.yaml`.
    """
    known = agency in at.line.project.agencies
    if not known or not access.may(who.principal, action, agency=agency, practice=practice):
        raise Nothing


def back(request: Request, path: str, said: str = "", count: int | None = None) -> RedirectResponse:
    """To another page of ours after a form was taken, which then says what was done (`words.SAID`)."""
    told = f"?said={said}" + (f"&count={count}" if count is not None else "") if said else ""
    return RedirectResponse(root(request) + path + told, 303)
