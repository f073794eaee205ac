"""The forms that answer a case. Each is audited where it is written (`moves.answering`), and leads back to its pile."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Form, Request
from fastapi.responses import RedirectResponse, Response

from bridge.access import Action
from bridge.console import permitting
from bridge.console.desk import At, Author, Desk, Nothing, back
from bridge.console.needs import answers_it, case_page, forms_of, may_retry_all, meanings, one, pile_of, table_and_code
from bridge.console.signing import Visitor
from bridge.errors import ConfigError, Problem
from bridge.moves import answering, referring

routes = APIRouter()
Text = Annotated[str, Form()]
Several = Annotated[Sequence[str], Form()]


def asked(at: Desk, who: Visitor, hold: int, form: str) -> dict[str, Any]:
    """The hold, where this person may answer it with this form; else Nothing."""
    found = one(at, who, hold)
    if found["closed_at"] is None and form not in forms_of(found, who):
        raise Nothing
    return found


@routes.post("/holds/{hold}/consent")
def consent(
    request: Request, at: At, who: Author, hold: int, practice: Text = "", start: Text = "", until: Text = "",
    narrative: Text = "", classes: Several = (), grantor: Text = "", authority: Text = "", language: Text = "",
    form: Text = "",
) -> Response:  # fmt: skip
    """The family agreed, or said no."""
    found = asked(at, who, hold, "consent")
    if found["closed_at"] is not None:
        return closed(request, hold)
    given = permitting.Given(
        found["agency"], found["person"], practice, start, until, narrative, tuple(classes), grantor, authority,
        language, form,
    )  # fmt: skip
    try:
        said = permitting.give(at, who, given)
    except ConfigError as error:
        entered = {**given.cells(), "start": start, "narrative": narrative}
        return case_page(request, at, who, found, error.problems, entered)
    return back(request, f"/needs/{hold}", said)


@routes.post("/holds/{hold}/link")
def link(
    request: Request, at: At, who: Author, hold: int, practice: Text = "", system: Text = "", value: Text = "",
    patient: Text = "",
) -> Response:  # fmt: skip
    """This is the patient."""
    found = asked(at, who, hold, "link")
    if found["closed_at"] is not None:
        return closed(request, hold)
    try:
        said = permitting.link(at, who, found["agency"], found["person"], practice, (system, value), patient)
    except ConfigError as error:
        entered = {"practice": practice, "system": system, "value": value, "patient": patient}
        return case_page(request, at, who, found, error.problems, entered)
    return back(request, f"/needs/{hold}", said)


@routes.post("/holds/{hold}/row")
def row(
    request: Request, at: At, who: Author, hold: int, same: Text = "", display: Text = "", system: Text = "",
    target: Text = "", start: Text = "", until: Text = "",
) -> Response:  # fmt: skip
    """This is what the code means: the same as another code, or something of its own; always, or for a time."""
    found = asked(at, who, hold, "row")
    if found["closed_at"] is not None:
        return closed(request, hold)
    table, code = table_and_code(found)
    cells = {"display": display, "system": system, "target": target, "source": "a person's decision"}
    cells |= {"from": start, "until": until}
    try:
        if bool(same) == bool(display.strip()):
            rule = "choose what the code means the same as, or say in words what it means"
            raise ConfigError(Problem("row-which", rule, "answer"))
        if same:
            like = next((one for one in meanings(at, found["agency"], table) if one.words == same), None)
            if like is None:
                raise ConfigError(Problem("row-same", "no code of this table has this meaning", "answer"))
            cells |= {"display": like.display, "system": like.system, "target": like.target, "text": like.text}
            cells |= {"equivalence": like.equivalence}
        count = answering.add_row(at.line, found["agency"], table, code, cells, who.principal.name, at.clock())
    except ConfigError as error:
        entered = {"same": same, "display": display, "system": system, "target": target, "start": start, "until": until}
        return case_page(request, at, who, found, error.problems, entered)
    return back(request, f"/needs/{hold}", "row-added", count)


@routes.post("/holds/{hold}/referral")
def referral(request: Request, at: At, who: Author, hold: int, verdict: Text = "", person: Text = "") -> Response:
    """Whom a practice's referral is about, or that the agency does not take it."""
    found = asked(at, who, hold, "referral")
    if found["closed_at"] is not None:
        return closed(request, hold)
    known, by, now = referring.of_hold(at.line, found), who.principal.name, at.clock()
    try:
        if known is None or verdict not in ("place", "decline"):
            raise ConfigError(Problem("answer-missing", "choose one of the two", "answer"))
        if verdict == "place":
            referring.place(at.line, known["id"], person.strip(), by, now)
        else:
            referring.decline(at.line, known["id"], by, now)
    except ConfigError as error:
        return case_page(request, at, who, found, error.problems, {"verdict": verdict, "person": person})
    return back(request, f"/needs/{hold}", "placed" if verdict == "place" else "declined")


@routes.post("/holds/{hold}/record")
def record(request: Request, at: At, who: Author, hold: int, verdict: Text = "") -> Response:
    """Send it as it is, or keep it."""
    found = asked(at, who, hold, "record")
    if verdict not in ("send", "keep"):
        return case_page(request, at, who, found, [Problem("answer-missing", "choose one of the two", "answer")])
    if found["closed_at"] is not None:
        return closed(request, hold)
    done = answering.release_record(at.line, hold, verdict == "send", who.principal.name, at.clock())
    return back(request, f"/needs/{hold}", verdict if done else "closed", 1)


@routes.post("/holds/{hold}/read")
def read(request: Request, at: At, who: Author, hold: int, verdict: Text = "") -> Response:
    """What the guard found may leave as it is, or this version is not sent."""
    found = asked(at, who, hold, "read")
    if verdict not in ("leave", "drop"):
        return case_page(request, at, who, found, [Problem("answer-missing", "choose one of the two", "answer")])
    if found["closed_at"] is not None:
        return closed(request, hold)
    by, now = who.principal.name, at.clock()
    try:
        if verdict == "leave":
            done = answering.let_leave(at.line, hold, by, now)
        else:
            done = answering.decide(at.line, hold, "", False, True, by, now)
    except ConfigError as error:
        return case_page(request, at, who, found, error.problems)
    return back(request, f"/needs/{hold}", verdict if done else "closed")


@routes.post("/holds/{hold}/entry")
def entry(request: Request, at: At, who: Author, hold: int, verdict: Text = "", stands: Text = "") -> Response:
    """It stands there, it does not, it is not to go."""
    found = one(at, who, hold)
    if found["closed_at"] is not None:
        return closed(request, hold)
    forms = forms_of(found, who)
    if "entry" not in forms and not ("drop" in forms and verdict == "drop"):
        raise Nothing
    absent, drop = verdict == "absent", verdict == "drop"
    try:
        if verdict not in ("stands", "absent", "drop"):
            raise ConfigError(Problem("answer-missing", "choose one of the answers", "answer"))
        if verdict == "stands" and not stands.strip():
            rule = "say under which id it stands"
            raise ConfigError(Problem("hold-stands", rule, "answer", "stands", "copy it as the EHR shows it"))
        at_id = stands.strip() if verdict == "stands" else ""
        done = answering.decide(at.line, hold, at_id, absent, drop, who.principal.name, at.clock())
    except ConfigError as error:
        return case_page(request, at, who, found, error.problems, {"verdict": verdict, "stands": stands})
    return back(request, f"/needs/{hold}", verdict if done else "closed")


@routes.post("/holds/{hold}/retry")
def retry(request: Request, at: At, who: Author, hold: int) -> Response:
    """Look at this one again."""
    found = asked(at, who, hold, "retry")
    if found["closed_at"] is not None:
        return closed(request, hold)
    count = answering.retry(at.line, hold, "", who.principal.name, at.clock())
    return back(request, f"/needs/{hold}", "again", count)


@routes.post("/needs/{hold}/retry")
def retry_all(request: Request, at: At, who: Author, hold: int) -> Response:
    """Look at all of a pile again."""
    found = one(at, who, hold)
    if not (may_retry_all(found) and answers_it(who, found, Action.RETRY)):
        raise Nothing
    count = answering.retry(at.line, None, "", who.principal.name, at.clock(), pile_of(found))
    return back(request, f"/needs/{hold}", "again", count)


@routes.post("/needs/{hold}/keep")
def keep_all(request: Request, at: At, who: Author, hold: int, sure: Text = "") -> Response:
    """None of a pile's records is sent."""
    found = one(at, who, hold)
    if not (answering.awaits_word({**found, "record": 1}) and answers_it(who, found, Action.SEE_RECORD)):
        raise Nothing
    if sure != "yes":
        return back(request, f"/needs/{hold}")
    count = answering.keep_pile(at.line, pile_of(found), who.principal.name, at.clock())
    return back(request, f"/needs/{hold}", "keep", count)


def closed(request: Request, hold: int) -> RedirectResponse:
    """Somebody was faster."""
    return back(request, f"/needs/{hold}", "closed")
