"""A link opens one session, once; both end when their time comes."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

from bridge.store import sessions, tables
from bridge.store.ledger import Ledger
from bridge.store.sessions import LINK, SESSION, Redeem, Ticket
from tests.postgres import Reopen
from tests.unit.store.making import AGENCY, MINUTE, NOW, rows

HOURS = 60 * MINUTE


def give(ledger: Ledger, token: str = "link-1", use: str = LINK, expires: int = NOW + MINUTE) -> Ticket:
    ticket = Ticket(token, use, "ana", "agency", AGENCY, expires)
    assert ledger.write(sessions.give, ticket)
    return ticket


def redeem(ledger: Ledger, link: str = "link-1", session: str = "session-1", now: int = NOW) -> Ticket | None:
    return ledger.write(sessions.redeem, Redeem(link, session, now, now + HOURS))


def find(ledger: Ledger, token: str, now: int = NOW) -> Ticket | None:
    with ledger.read() as connection:
        return sessions.find(connection, token, now)


def test_a_link_opens_a_session_once(ledger: Ledger) -> None:
    give(ledger)
    opened = redeem(ledger)
    assert opened == Ticket("session-1", SESSION, "ana", "agency", AGENCY, NOW + HOURS)
    assert find(ledger, "session-1") == opened
    assert redeem(ledger, session="session-2") is None
    assert find(ledger, "session-2") is None


def test_a_link_is_no_session_and_a_session_is_no_link(ledger: Ledger) -> None:
    give(ledger)
    give(ledger, "session-9", SESSION)
    assert find(ledger, "link-1") is None
    assert redeem(ledger, "session-9") is None


def test_what_expired_opens_nothing_and_is_removed(ledger: Ledger) -> None:
    give(ledger)
    assert redeem(ledger, now=NOW + MINUTE) is None
    assert rows(ledger, tables.session) == []
    give(ledger, "session-9", SESSION)
    assert find(ledger, "session-9", NOW + MINUTE) is None


def test_a_session_can_be_ended(ledger: Ledger) -> None:
    give(ledger, "session-9", SESSION)
    assert ledger.write(sessions.end, "session-9")
    assert not ledger.write(sessions.end, "session-9")
    assert find(ledger, "session-9") is None


def test_two_who_use_one_link_at_once_do_not_both_get_in(ledger: Ledger, reopen: Reopen) -> None:
    give(ledger)
    workers = [ledger, reopen()]
    start = threading.Barrier(4)

    def use(number: int) -> Ticket | None:
        start.wait()
        return redeem(workers[number % 2], session=f"session-{number}")

    with ThreadPoolExecutor(4) as pool:
        assert [opened is not None for opened in pool.map(use, range(4))].count(True) == 1
