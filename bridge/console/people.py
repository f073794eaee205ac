"""One person, by the ledger's own number, so that no agency's id stands in an address: permissions and records."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated

from fastapi import APIRouter, Form, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from bridge import consent
from bridge.access import Action
from bridge.console import permitting
from bridge.console.desk import At, Author, Desk, Nothing, Who, back, require
from bridge.console.permitting import Given
from bridge.console.signing import Visitor
from bridge.errors import ConfigError, Problem
from bridge.moves import planning
from bridge.store import browsing, permissions

routes = APIRouter()
PAGE = 50
Text = Annotated[str, Form()]
Several = Annotated[Sequence[str], Form()]


@routes.post("/people")
def find(request: Request, at: At, who: Author, person: Text = "", agency: Text = "") -> Response:
    """To the person whom the agency calls so."""
    of = who.principal.agency or agency
    with at.line.ledger.read() as connection:
        found = browsing.find_person(connection, person.strip(), of)
    for one in found[:1]:
        require(at, who, Action.SEE_STATUS, one["agency"])
        return back(request, f"/people/{one['id']}")
    step = "check the id as your own system shows it; records may not have come yet"
    text = "No record of a person with this id has come so far."
    return at.page(request, "problem.html", who, 404, title="Nobody by this id", text=text, step=step)


@routes.get("/people/{number}")
def person(request: Request, at: At, who: Who, number: int, said: str = "") -> HTMLResponse:
    """What is known of the person's permissions, and their records."""
    return person_page(request, at, who, number, said=said)


def person_page(
    request: Request,
    at: Desk,
    who: Visitor,
    number: int,
    problems: Sequence[Problem] = (),
    entered: Mapping[str, str] | None = None,
    said: str = "",
) -> HTMLResponse:
    """The page; with what is wrong with the form that was sent, where one was."""
    with at.line.ledger.read() as connection:
        found = browsing.one_person(connection, number)
        records = browsing.find_records(connection, person_number=number, limit=PAGE) if found is not None else []
        known = permissions.of_persons(connection, at.line.ledger, found["agency"], [found["source"]]) if found else {}
    if found is None:
        raise Nothing
    require(at, who, Action.SEE_STATUS, found["agency"])
    now, has = at.clock(), known[found["source"]]
    agency = at.line.project.agencies[found["agency"]]
    practices = agency.practices
    subject = planning.subject_of(at.line, agency.id, agency.program, has.patient)
    decisions = {practice: consent.decide(has.consents, practice, now, subject) for practice in practices}
    found["consents"] = sorted(has.consents, key=lambda one: (one.start, one.recorded), reverse=True)
    return at.page(
        request, "person.html", who, 422 if problems else 200, person=found, records=records, practices=practices,
        decisions=decisions, why=consent.WHY, problems=problems, entered=entered or {}, said=said, count=0,
    )  # fmt: skip


@routes.post("/people/{number}/consent")
def give(
    request: Request, at: At, who: Author, number: int, practice: Text = "", start: Text = "", until: Text = "",
    narrative: Text = "", classes: Several = (), grantor: Text = "", authority: Text = "", language: Text = "",
    form: Text = "",
) -> Response:  # fmt: skip
    """The family agreed, or said no."""
    agency, source = named(at, number)
    given = Given(agency, source, practice, start, until, narrative, tuple(classes), grantor, authority, language, form)
    try:
        said = permitting.give(at, who, given)
    except ConfigError as error:
        entered = {**given.cells(), "start": start, "narrative": narrative}
        return person_page(request, at, who, number, error.problems, entered)
    return back(request, f"/people/{number}", said)


@routes.post("/people/{number}/end")
def end(request: Request, at: At, who: Author, number: int, practice: Text = "") -> RedirectResponse:
    """The family took it back."""
    agency, source = named(at, number)
    return back(request, f"/people/{number}", permitting.end(at, who, agency, source, practice))


@routes.post("/people/{number}/suspend")
def suspend(request: Request, at: At, who: Author, number: int) -> RedirectResponse:
    """Who may consent for them changed."""
    agency, source = named(at, number)
    return back(request, f"/people/{number}", permitting.suspend(at, who, agency, source))


def named(at: Desk, number: int) -> tuple[str, str]:
    """The agency, and what it calls this person. Nothing where there is none of this number."""
    with at.line.ledger.read() as connection:
        found = browsing.one_person(connection, number)
    if found is None:
        raise Nothing
    return found["agency"], found["source"]
