"""What `doctor` looks at, and what each outcome means. Nothing here shows a secret or a word of an answer's body."""

from __future__ import annotations

import re
import shutil
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any

import orjson
from sqlalchemy.exc import SQLAlchemyError

from bridge.ehr.circuit import NOBODY
from bridge.model import Failure, Request, Response
from bridge.settings import Project
from bridge.store.engine import open_engine

SKEW_SECONDS = 60  # a signed login is valid for five minutes at most (SMART Backend Services); a minute leaves room
Send = Callable[[Request], Awaitable[Response]]


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was tried: `ok` is None where it could not be told."""

    name: str
    ok: bool | None
    says: str
    next_step: str = ""

    def as_dict(self) -> dict[str, Any]:
        """For JSON answers."""
        return {"ok": self.ok, "says": self.says, **({"next_step": self.next_step} if self.next_step else {})}


def ledger_check(project: Project) -> Check:
    """Whether the ledger's database answers and has room."""
    url = project.store.reveal()
    path = Path(url.removeprefix("sqlite:///")) if url.startswith("sqlite:///") else None
    if path is not None and not path.exists():
        return Check("ledger", True, "SQLite; not made yet, the first run makes it")
    try:
        with open_engine(url).connect():
            pass
    except SQLAlchemyError as error:
        step = "check `store` in bridge.yaml, and that the database runs and takes this login"
        return Check("ledger", False, f"does not open ({type(error).__name__})", step)
    if path is None:
        return Check("ledger", True, "PostgreSQL answers")
    free = shutil.disk_usage(path.parent).free // 2**20
    enough = free >= project.limits.free_disk_mib
    step = "" if enough else f"free some space: below {project.limits.free_disk_mib} MiB intake answers 503"
    return Check("ledger", enough, f"SQLite opens; {free} MiB free", step)


async def connection_checks(send: Send, clock: Callable[[], float], *, with_login: bool | None) -> list[Check]:
    """Reachable, statement, clock and login of one connection. `clock` gives seconds since 1970.

    `with_login` None: signing in failed before, and what needs it is not tried.
    """
    answer = await send(Request("GET", "metadata", {"Cache-Control": "no-cache"}))
    if answer.failure is not None:
        return [
            unreachable(answer),
            *(Check(name, None, "not tried") for name in ("statement", "clock", "login")),
        ]
    now = clock()
    if with_login is None:
        first = Check("reachable", True, f"answers (HTTP {answer.status})"), statement(answer), skew(answer, now)
        return [*first, Check("login", None, "not tried: no token")]
    asked = await send(
        Request("GET", "Patient", {"Cache-Control": "no-cache"}, (("identifier", NOBODY), ("_count", "1")))
    )
    return [
        Check("reachable", True, f"answers (HTTP {answer.status})"),
        statement(answer),
        skew(answer, now),
        login_answer(asked, with_login),
    ]


def unreachable(answer: Response) -> Check:
    """Nothing came back."""
    failure = answer.failure
    if failure is Failure.NOT_NOW:
        return Check(
            "reachable", None, f"not tried: {answer.why}", f"try again in {answer.headers.get('retry-after', '1')} s"
        )
    if failure is Failure.NO_LOGIN:
        return Check("reachable", False, "no token could be had", "try again; each step of the login is told below")
    if failure in (Failure.NOT_CONNECTED, Failure.UNSENDABLE):
        return Check(
            "reachable", False, "cannot connect", "check `base`: host, port, certificate; then the network's firewall"
        )
    if failure is Failure.UNREAD:
        rule = "answers, and the answer is too large or not packed as asked for"
        return Check("reachable", False, rule, "check that `base` is its FHIR base, and what stands between as a proxy")
    return Check(
        "reachable", False, "no complete answer in time", "try again; raise `timeout_seconds` if it is just slow"
    )


def statement(answer: Response) -> Check:
    """The server's CapabilityStatement must be there and of FHIR 4.0."""
    if answer.status in (401, 403):
        return Check("statement", False, f"not shown without another login (HTTP {answer.status})", "check `login`")
    if answer.status != 200:
        return Check("statement", False, f"HTTP {answer.status} instead of a statement", "check the path in `base`")
    try:
        found = orjson.loads(answer.body)
    except orjson.JSONDecodeError:
        found = None
    if not isinstance(found, dict) or found.get("resourceType") != "CapabilityStatement":
        step = "check `base`: it may lead to a web page or a login page"
        return Check("statement", False, "what came back is no CapabilityStatement", step)
    version = str(found.get("fhirVersion", ""))
    shown = version if re.fullmatch(r"[0-9.]{1,10}", version) else "unknown"
    if not shown.startswith("4.0."):
        return Check("statement", False, f"FHIR {shown}, not 4.0", "ask the vendor for the R4 (4.0.1) base")
    return Check("statement", True, f"CapabilityStatement of FHIR {shown}")


def skew(answer: Response, now: float) -> Check:
    """The server's clock against ours, by its Date header."""
    try:
        theirs = parsedate_to_datetime(answer.headers.get("date", "")).timestamp()
    except (TypeError, ValueError):
        return Check("clock", None, "the server does not tell its time")
    seconds = round(theirs - now)
    if abs(seconds) <= SKEW_SECONDS:
        return Check("clock", True, f"within {SKEW_SECONDS} s of ours")
    where = "ahead of" if seconds > 0 else "behind"
    return Check(
        "clock", False, f"{abs(seconds)} s {where} ours", "set this machine's clock by NTP, or tell the EHR's team"
    )


def login_answer(answer: Response, with_login: bool) -> Check:
    """What asking for nobody in particular says about the login."""
    status = answer.status
    if answer.failure is not None:
        return Check("login", False, "no answer to a search", "try again")
    if status == 401 and with_login:
        return Check(
            "login", False, "the token is refused (HTTP 401)", "ask for a new one and put it where `login` points"
        )
    if status == 401:
        return Check("login", False, "the server wants a login and none is set", "set `login` of this connection")
    if status == 403:
        step = "ask the EHR's team which scopes this login has"
        return Check("login", False, "known, but may not search patients (HTTP 403)", step)
    if 300 <= status < 400:
        return Check("login", False, f"redirected (HTTP {status}); no token follows", "check `base`")
    if status >= 500:
        return Check(
            "login", False, f"the server failed on a search (HTTP {status})", "try again; then ask the EHR's team"
        )
    kind = "taken" if with_login else "none is needed"
    return Check(
        "login", True, kind if status == 200 else f"{kind}; the search itself was not understood (HTTP {status})"
    )
