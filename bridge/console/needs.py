"""“Needs you”: the piles of questions, the cases in one, and one case with the forms that answer it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from bridge.access import Action, Role, may
from bridge.console.desk import At, Desk, Nothing, Who, needs_owner, require, scope_of, turn_of
from bridge.console.signing import Visitor
from bridge.errors import Problem
from bridge.mappings.tables import Row, Table
from bridge.model import EntryState, HoldReason
from bridge.moves import referring
from bridge.moves.answering import asks_to_read, awaits_word
from bridge.store import browsing, needs
from bridge.store.needs import Pile

routes = APIRouter()
PAGE = 50


@routes.get("/")
def home(request: Request, at: At, who: Who, said: str = "", count: int = 0) -> HTMLResponse:
    """What waits for this person, and what waits for others."""
    with at.line.ledger.read() as connection:
        found = needs.piles(connection, scope_of(who))
    turn = turn_of(who).owner
    mine = grouped(pile for pile in found if pile["owner"] == turn)
    others = grouped(pile for pile in found if pile["owner"] != turn)
    return at.page(request, "needs.html", who, turn=turn, mine=mine, others=others, said=said, count=count)


def grouped(piles: Iterable[dict[str, Any]]) -> list[list[dict[str, Any]]]:
    """Piles of the same kind of question about one practice together, where the first of them stood."""
    groups: dict[tuple[str, str, str], list[dict[str, Any]]] = {}
    for one in piles:
        groups.setdefault((one["agency"], one["reason"], one["practice"]), []).append(one)
    return list(groups.values())


@routes.get("/needs/{hold}")
def pile(request: Request, at: At, who: Who, hold: int, after: int = 0, said: str = "", count: int = 0) -> HTMLResponse:
    """The cases of one pile."""
    found = one(at, who, hold)
    same = pile_of(found)
    with at.line.ledger.read() as connection:
        cases = needs.cases(connection, same, PAGE + 1, after)
        total = len(needs.open_in(connection, same))
    more = cases[PAGE - 1]["id"] if len(cases) > PAGE else None
    return at.page(
        request, "pile.html", who, pile=found, cases=cases[:PAGE], total=total, more=more, said=said, count=count,
        keep=awaits_word({**found, "record": 1}) and answers_it(who, found, Action.SEE_RECORD),
        retry=may_retry_all(found) and answers_it(who, found, Action.RETRY),
    )  # fmt: skip


@routes.get("/holds/{hold}")
def case(request: Request, at: At, who: Who, hold: int) -> HTMLResponse:
    """One case."""
    return case_page(request, at, who, one(at, who, hold))


def case_page(
    request: Request,
    at: Desk,
    who: Visitor,
    found: Mapping[str, Any],
    problems: Sequence[Problem] = (),
    entered: Mapping[str, str] | None = None,
) -> HTMLResponse:
    """The page of one case; with what is wrong with the form that was sent, where one was."""
    project = at.line.project
    forms = forms_of(found, who)
    practices = [found["practice"]] if found["practice"] else list(project.agencies[found["agency"]].practices)
    with at.line.ledger.read() as connection:
        waiting = needs.waiting_with(connection, dict(found), PAGE) if found["closed_at"] is None else []
        system = ""
        if "link" in forms and len(practices) == 1:
            system = browsing.known_system(connection, at.line.ledger, found["agency"], practices[0])
    table, code = table_and_code(found)
    referral = referring.of_hold(at.line, found) if "referral" in forms else None
    reads = referral is not None and answers_it(who, found, Action.SEE_RECORD)
    return at.page(
        request, "case.html", who, 422 if problems else 200,
        hold=found, forms=forms, waiting=waiting, practices=practices, system=system, table=table, code=code,
        meanings=meanings(at, found["agency"], table) if "row" in forms else [],
        problems=problems, entered=entered or {}, referral=referral,
        written=referring.words(at.line, referral) if referral is not None and reads else [],
        reader=who.principal.role is Role.PRACTICE_READER,
    )  # fmt: skip


def one(at: Desk, who: Visitor, hold: int) -> dict[str, Any]:
    """The hold of this number, where this person may see it; else Nothing."""
    with at.line.ledger.read() as connection:
        found = needs.one_case(connection, hold)
    if found is None:
        raise Nothing
    require(at, who, Action.SEE_STATUS, found["agency"], found["practice"])
    if who.principal.role is Role.PRACTICE_READER and found["owner"] != needs_owner(who):
        raise Nothing
    return found


def pile_of(found: Mapping[str, Any]) -> Pile:
    """The pile a hold is in."""
    return Pile(found["agency"], found["practice"], found["reason"], found["owner"], found["rule"])


def answers_it(who: Visitor, found: Mapping[str, Any], action: Action) -> bool:
    """Whether this person may answer this hold in this way."""
    return may(who.principal, action, agency=found["agency"], practice=found["practice"])


def forms_of(found: Mapping[str, Any], who: Visitor) -> list[str]:
    """Which answers this person can give to this hold, the likeliest first."""
    if found["closed_at"] is not None:
        return []
    reason, about_entry = HoldReason(found["reason"]), found["entry"] is not None
    unplaced = reason is HoldReason.PRACTICE and not about_entry  # nobody's chart is known: either names one
    asks = [
        ("consent", Action.CONSENT, reason is HoldReason.CONSENT or unplaced),
        ("link", Action.LINK, reason is HoldReason.LINK or unplaced),
        ("row", Action.TABLE, reason is HoldReason.TABLE),
        ("referral", Action.LINK, reason is HoldReason.REFERRAL),
        ("record", Action.SEE_RECORD, awaits_word(found)),  # only those decide who may read what they send
        ("read", Action.SEE_RECORD, asks_to_read(found)),
        ("entry", Action.ANSWER, about_entry and reason is HoldReason.DECISION and not asks_to_read(found)),
        ("retry", Action.RETRY, may_retry(found)),
        ("drop", Action.ANSWER, about_entry and reason in (HoldReason.CAPABILITY, HoldReason.CONTENT)),
    ]
    return [name for name, action, fits in asks if fits and answers_it(who, found, action)]


def may_retry(found: Mapping[str, Any]) -> bool:
    """Whether looking again can change anything, and cannot send twice what may stand already."""
    reason = HoldReason(found["reason"])
    if reason in (HoldReason.CONSENT, HoldReason.TABLE, HoldReason.REFERRAL):
        return False  # what they wait for runs them again by itself
    if reason is HoldReason.DECISION:
        refused = found.get("entry_state") == EntryState.REFUSED.value
        return refused or bool(found.get("stands_id")) or (found["record"] is not None and not awaits_word(found))
    return True


def may_retry_all(found: Mapping[str, Any]) -> bool:
    """Whether a whole pile may be looked at again: not where each entry must be looked for by somebody first."""
    looked_for = found["entry"] is not None and found["reason"] == HoldReason.DECISION.value
    return may_retry(found) and not looked_for


def table_and_code(found: Mapping[str, Any]) -> tuple[str, str]:
    """The table and the agency's code that a hold for a row waits for (`mappings.tables.table_key`)."""
    if found["reason"] != HoldReason.TABLE.value:
        return "", ""
    _, _, table, code = found["waits_for"].split(":", 3)
    return table, code


def meanings(at: Desk, agency: str, table: str) -> list[Row]:
    """What other codes of this table mean, each meaning once, in the order of their words."""
    at.line.learn_rows()
    known = at.line.translator.mappings.tables.get(table, Table(table))
    added = at.line.added.of(agency).get(table, Table(table))
    by_words = {row.words: row for row in (*known.every(), *added.every())}
    return [by_words[words] for words in sorted(by_words)]
