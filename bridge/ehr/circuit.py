"""What an answer, or none, says of a whole connection: that it works, or what is the matter with it. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from bridge.ehr.decide import SECOND, back_off
from bridge.ehr.outcome import issues
from bridge.ehr.received import json_object
from bridge.ehr.rows import LOGIN
from bridge.model import Failure, Request, Response

LONGEST = 600 * SECOND
STATEMENT = "metadata"
NOBODY = "urn:dyad-bridge:doctor|nobody"
"""An identifier no patient has: searching it asks for permission and brings back nobody."""


class Cause(StrEnum):
    """Why a connection is not used, in the words people see."""

    LOGIN = "login refused"
    NO_TOKEN = "token endpoint down"  # noqa: S105 - words, no secret
    TLS = "certificate not accepted"
    UNREACHABLE = "not reachable"
    SILENT = "does not answer in time"
    MAINTENANCE = "closed for maintenance"
    REFUSING = "refuses everything"
    READ_ONLY = "refuses every write"


@dataclass(frozen=True, slots=True)
class Told:
    """How a cause is handled: after so many in a row, first for so long, and what its contact can do."""

    after: int
    first: int  # microseconds until one request tries again
    next_step: str


HANDLED = {
    Cause.LOGIN: Told(
        1, 30 * SECOND,
        "run `bridge doctor`; the EHR's team checks our client id, our key set's address and what the client may do",
    ),
    Cause.NO_TOKEN: Told(
        1, 10 * SECOND, "the EHR's team sees whether its token endpoint runs; nothing has to be done here"
    ),
    Cause.TLS: Told(
        1, 60 * SECOND, "compare the certificates and their last day with `tls` in bridge.yaml, and with the EHR's team"
    ),
    Cause.UNREACHABLE: Told(
        3, 5 * SECOND, "see that the network, its firewall and the address in `base` lead there; ask the EHR's team"
    ),
    Cause.SILENT: Told(
        8, 5 * SECOND, "ask the EHR's team what keeps it; raise `timeout_seconds` if it is always slow"
    ),
    Cause.MAINTENANCE: Told(
        4, 15 * SECOND, "ask the EHR's team how long it lasts; what waits is sent afterwards by itself"
    ),
    Cause.REFUSING: Told(
        20, 60 * SECOND, "ask the EHR's team what changed for our client; look at the answers: `bridge held list`"
    ),
    Cause.READ_ONLY: Told(
        20, 60 * SECOND, "ask the EHR's team whether it takes writes now; look at the answers: `bridge held list`"
    ),
}  # fmt: skip
"""After how many in a row: one answer to everybody's question for a login or a certificate; more where a single
request may have been unlucky. Ours; no vendor says anything."""

TOKEN_DOWN = frozenset({"login-unreachable", "login-server-error", "login-temporarily-unavailable", "login-later"})


def is_write(request: Request) -> bool:
    """Whether it may change a chart; a search by POST does not."""
    return request.method in ("POST", "PUT", "PATCH", "DELETE") and not request.path.endswith("_search")


def cause(request: Request, response: Response) -> Cause | None:
    """What this answer says against the connection as a whole; None where it speaks for it, or of itself alone."""
    if response.failure is not None:
        return _of_failure(response)
    if response.status in (401, 407) or (response.status == 403 and _about_login(response)):
        return Cause.LOGIN
    if response.status == 503:
        return Cause.MAINTENANCE
    if response.status >= 300 and response.status not in SAID_OF_ITSELF:
        return Cause.READ_ONLY if is_write(request) else Cause.REFUSING
    return None


SAID_OF_ITSELF = (404, 409, 410, 412, 422, 429)
"""Refusals that are about one resource, or about how much was asked; however many come in a row."""


ANSWERED = (None, Failure.UNREAD)


def _of_failure(response: Response) -> Cause | None:
    if response.failure is Failure.NO_LOGIN:
        return Cause.NO_TOKEN if response.why in TOKEN_DOWN else Cause.LOGIN
    if response.failure is Failure.NOT_CONNECTED:
        return Cause.TLS if response.why == "tls" else Cause.UNREACHABLE
    return Cause.SILENT if response.failure is Failure.LOST else None


def _about_login(response: Response) -> bool:
    return any(set(LOGIN) & issue.codes for issue in issues(json_object(response.body), ""))


@dataclass(slots=True)
class Streak:
    """How often each cause came in a row, as one process sees it."""

    counts: dict[Cause, int] = field(default_factory=dict)

    def add(self, request: Request, response: Response) -> Cause | None:
        """The cause for which the connection should not be used now, if this answer was one too many."""
        if response.failure in (Failure.NOT_NOW, Failure.UNSENDABLE):
            return None
        found = cause(request, response)
        kept = {Cause.READ_ONLY} if not is_write(request) else set()
        if found is not Cause.SILENT and response.failure in ANSWERED:  # it answers, whatever it says
            self.counts = {one: count for one, count in self.counts.items() if one in kept or one is found}
        if found is None:
            return None
        count = self.counts[found] = self.counts.get(found, 0) + 1
        return found if count >= HANDLED[found].after else None


def works(reason: str, request: Request, response: Response) -> bool:
    """Whether this answer shows that what the circuit was opened for is over.

    A statement is shown to everybody: it says nothing of a login, or of refusals. Where nothing was answered, any
    answer that is of the request alone says that it is over.
    """
    if response.failure not in ANSWERED or response.status == 429:
        return False
    if reason in ASKED and request.path == STATEMENT:
        return False
    found = cause(request, response)
    if reason == Cause.READ_ONLY:
        return found is None and is_write(request)
    return found is None or (reason != Cause.REFUSING and found in REFUSALS and response.status < 500)


REFUSALS = (Cause.REFUSING, Cause.READ_ONLY)
ASKED = (Cause.LOGIN, Cause.REFUSING)
"""Causes of which only a request with a login tells whether they are over."""


def fails(reason: str, request: Request, response: Response) -> Cause | None:
    """The cause for which a connection that was tried again stays down; None where this answer says nothing of that.

    It is the same as before unless one such answer is enough to say another: so a connection that fails now this way,
    now that, is one alert.
    """
    found = cause(request, response)
    if found is None or works(reason, request, response):
        return None
    before = next((one for one in Cause if one == reason), found)
    return found if HANDLED[found].after == 1 else before


def question(reason: str) -> Request | None:
    """What is asked of an idle connection to see whether it works again; None where only a write can tell."""
    if reason == Cause.READ_ONLY:
        return None
    if reason in ASKED:
        return Request("GET", "Patient", {"Cache-Control": "no-cache"}, (("identifier", NOBODY), ("_count", "1")))
    return Request("GET", STATEMENT, {"Cache-Control": "no-cache"})


def opens_until(name: str, found: Cause, failures: int, after: int | None, now: int) -> int:
    """When one request may try a connection again that has failed so often; no earlier than it asked for."""
    return now + max(back_off(name, failures, HANDLED[found].first, LONGEST), after or 0)


def next_step(reason: str) -> str:
    """What its contact can do about it."""
    known = {cause.value: told.next_step for cause, told in HANDLED.items()}
    return known.get(reason, "see `bridge status`")
