"""What one answer, and a row of them, says of a whole connection."""

from __future__ import annotations

import pytest

from bridge.ehr import circuit
from bridge.ehr.circuit import HANDLED, Cause, Streak
from bridge.model import Failure, Request, Response

READ = Request("GET", "DocumentReference/1")
LOOK = Request("POST", "DocumentReference/_search")
WRITE = Request("POST", "DocumentReference", body=b"{}")
SECOND = 1_000_000
EXPIRED = b'{"resourceType":"OperationOutcome","issue":[{"severity":"error","code":"expired"}]}'


@pytest.mark.parametrize(
    ("request_", "response", "cause"),
    [
        (WRITE, Response(failure=Failure.NO_LOGIN, why="login-invalid-client"), Cause.LOGIN),
        (WRITE, Response(failure=Failure.NO_LOGIN, why="login-no-key"), Cause.LOGIN),
        (WRITE, Response(failure=Failure.NO_LOGIN, why="login-unreachable"), Cause.NO_TOKEN),
        (WRITE, Response(failure=Failure.NO_LOGIN, why="login-later"), Cause.NO_TOKEN),
        (READ, Response(failure=Failure.NOT_CONNECTED), Cause.UNREACHABLE),
        (READ, Response(failure=Failure.NOT_CONNECTED, why="tls"), Cause.TLS),
        (READ, Response(failure=Failure.UNSENDABLE), None),
        (READ, Response(failure=Failure.UNREAD), None),
        (WRITE, Response(failure=Failure.LOST, why="timed-out"), Cause.SILENT),
        (WRITE, Response(failure=Failure.NOT_NOW), None),
        (READ, Response(401), Cause.LOGIN),
        (READ, Response(403, body=EXPIRED), Cause.LOGIN),
        (READ, Response(403), Cause.REFUSING),
        (WRITE, Response(403), Cause.READ_ONLY),
        (LOOK, Response(403), Cause.REFUSING),
        (WRITE, Response(503), Cause.MAINTENANCE),
        (WRITE, Response(500), Cause.READ_ONLY),
        (WRITE, Response(405), Cause.READ_ONLY),
        (WRITE, Response(422), None),
        (READ, Response(404), None),
        (WRITE, Response(412), None),
        (WRITE, Response(429), None),
        (WRITE, Response(201), None),
    ],
)
def test_what_one_answer_says(request_: Request, response: Response, cause: Cause | None) -> None:
    assert circuit.cause(request_, response) is cause


def test_every_cause_has_its_own_words_and_its_own_next_step() -> None:
    assert set(HANDLED) == set(Cause)
    assert len({told.next_step for told in HANDLED.values()}) == len(Cause)
    assert all(circuit.next_step(cause) == HANDLED[cause].next_step for cause in Cause)


@pytest.mark.parametrize("cause", [Cause.LOGIN, Cause.UNREACHABLE, Cause.MAINTENANCE, Cause.SILENT, Cause.REFUSING])
def test_only_so_many_in_a_row_open_the_circuit(cause: Cause) -> None:
    answers = {
        Cause.LOGIN: Response(401),
        Cause.UNREACHABLE: Response(failure=Failure.NOT_CONNECTED),
        Cause.MAINTENANCE: Response(503),
        Cause.SILENT: Response(failure=Failure.LOST),
        Cause.REFUSING: Response(500),
    }
    streak, most = Streak(), HANDLED[cause].after
    assert [streak.add(READ, answers[cause]) for _ in range(most - 1)] == [None] * (most - 1)
    streak.add(READ, Response(200))
    assert [streak.add(READ, answers[cause]) for _ in range(most)] == [None] * (most - 1) + [cause]


def test_a_good_read_says_nothing_about_writes() -> None:
    streak = Streak()
    found = [one for _ in range(20) for one in (streak.add(WRITE, Response(405)), streak.add(READ, Response(200)))]
    assert found[-2:] == [Cause.READ_ONLY, None]
    assert not circuit.works(Cause.READ_ONLY, READ, Response(200))
    assert circuit.works(Cause.READ_ONLY, WRITE, Response(201))
    assert circuit.works(Cause.LOGIN, READ, Response(404))
    assert not circuit.works(Cause.LOGIN, READ, Response(429))
    assert circuit.works(Cause.SILENT, READ, Response(failure=Failure.UNREAD))
    assert not circuit.works(Cause.SILENT, READ, Response(failure=Failure.UNSENDABLE))


STATEMENT = Request("GET", "metadata")


@pytest.mark.parametrize(
    ("reason", "request_", "response", "over"),
    [
        (Cause.LOGIN, STATEMENT, Response(200), False),
        (Cause.LOGIN, READ, Response(400), True),
        (Cause.LOGIN, READ, Response(500), False),
        (Cause.REFUSING, STATEMENT, Response(200), False),
        (Cause.REFUSING, READ, Response(200), True),
        (Cause.REFUSING, WRITE, Response(400), False),
        (Cause.UNREACHABLE, STATEMENT, Response(200), True),
        (Cause.UNREACHABLE, WRITE, Response(400), True),
        (Cause.UNREACHABLE, STATEMENT, Response(503), False),
        (Cause.UNREACHABLE, STATEMENT, Response(401), False),
    ],
)
def test_what_shows_that_it_is_over(reason: Cause, request_: Request, response: Response, over: bool) -> None:
    """A statement is public: it closed the circuit of a refused login, to be opened again by the next request."""
    assert circuit.works(reason, request_, response) is over


@pytest.mark.parametrize(
    ("reason", "response", "found"),
    [
        (Cause.UNREACHABLE, Response(failure=Failure.NOT_CONNECTED), Cause.UNREACHABLE),
        (Cause.UNREACHABLE, Response(failure=Failure.LOST), Cause.UNREACHABLE),
        (Cause.UNREACHABLE, Response(500), Cause.UNREACHABLE),
        (Cause.UNREACHABLE, Response(401), Cause.LOGIN),
        (Cause.UNREACHABLE, Response(400), None),
        (Cause.UNREACHABLE, Response(429), None),
        (Cause.REFUSING, Response(400), Cause.REFUSING),
    ],
)
def test_a_try_that_fails_keeps_its_cause_where_one_answer_says_no_other(
    reason: Cause, response: Response, found: Cause | None
) -> None:
    assert circuit.fails(reason, READ, response) is found


def test_an_idle_connection_is_asked_what_its_cause_is_about() -> None:
    assert {cause for cause in Cause if circuit.question(cause) is None} == {Cause.READ_ONLY}
    asked = {cause: found.path for cause in Cause if (found := circuit.question(cause)) is not None}
    assert {cause for cause, path in asked.items() if path == "Patient"} == {Cause.LOGIN, Cause.REFUSING}
    assert set(asked.values()) == {"Patient", "metadata"}


def test_it_is_tried_again_later_and_later_and_never_before_it_asked() -> None:
    waits = [circuit.opens_until("elm", Cause.LOGIN, failures, None, 0) for failures in (1, 2, 3, 30)]
    assert waits == sorted(waits)
    assert 30 * SECOND <= waits[0] <= 36 * SECOND
    assert waits[-1] <= circuit.LONGEST * 6 // 5
    assert circuit.opens_until("elm", Cause.MAINTENANCE, 1, 900 * SECOND, 0) == 900 * SECOND
