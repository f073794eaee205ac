"""What one hand-over says of a whole way: that it works, or what is the matter with it. Pure.

As `ehr.circuit` says it of a FHIR connection. What the other side says of one document (an engine's AE, a mail refused
for its address) is about that document, however many come in a row.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from bridge.handoff.over import Given

BEFORE = "hand-off/"
"""How the name begins under which the ledger keeps a practice's way beside connections; no connection is called so."""


class Cause(StrEnum):
    """Why nothing is handed over by a way, in the words people see."""

    ENGINE = "engine not reachable"
    CERTIFICATE = "certificate of the other side not accepted"
    UNACKNOWLEDGED = "no acknowledgement in time"
    MAIL = "mail server not reachable"
    MAIL_LOGIN = "mail server refuses the login"
    MAIL_CLOSED = "mail server takes nothing now"
    MAIL_SILENT = "mail server does not answer in time"
    GONE = "folder is not there"
    SHUT = "folder cannot be written"
    FULL = "folder is full"
    SLOW = "folder does not answer in time"
    BROKEN = "folder does not work"
    NOT_SENT = "plug-in sends nothing"
    FAILS = "plug-in fails"


@dataclass(frozen=True, slots=True)
class Told:
    """How a cause is handled.

    After so many in a row, of so many different documents; whether reaching for the other side, with nothing handed
    over, tells that it is over; and what its contact can do.
    """

    after: int
    documents: int
    reached: bool
    next_step: str


HANDLED = {
    Cause.ENGINE: Told(
        3, 1, True, "ask who runs the interface engine whether it listens; compare `host` and `port`, and the firewall"
    ),
    Cause.CERTIFICATE: Told(
        1, 1, True, "compare the certificates and their last day with the hand-off's `tls`, and with who runs it"
    ),
    Cause.UNACKNOWLEDGED: Told(
        3, 2, False, "ask who runs the engine why it acknowledges nothing; if it is slow, raise `timeout_seconds`"
    ),
    Cause.MAIL: Told(
        3, 1, True, "ask the HISP whether its submission port runs; compare `smtp` in bridge.yaml, and the firewall"
    ),
    Cause.MAIL_LOGIN: Told(1, 1, True, "ask the HISP for the login of our address; compare `user` and its password"),
    Cause.MAIL_CLOSED: Told(2, 1, False, "ask the HISP how long it lasts; what waits is sent afterwards by itself"),
    Cause.MAIL_SILENT: Told(3, 2, False, "ask the HISP what keeps its submission port; raise `timeout_seconds`"),
    Cause.GONE: Told(1, 1, True, "see that the folder of `handoff` is there and its share mounted"),
    Cause.SHUT: Told(1, 1, True, "let the user that runs the bridge write into the folder of `handoff`"),
    Cause.FULL: Told(1, 1, True, "free some space there, and ask who empties the folder of `handoff`"),
    Cause.SLOW: Told(3, 2, False, "ask who runs the share of the folder of `handoff` what keeps it"),
    Cause.BROKEN: Told(3, 1, True, "see the disk or share of the folder of `handoff`"),
    Cause.NOT_SENT: Told(3, 1, False, "ask who wrote the plug-in what it waits for"),
    Cause.FAILS: Told(5, 2, False, "ask who wrote the plug-in why it fails; its own log has its words"),
}  # fmt: skip
"""Two documents where one of them may be the reason: a message at which an engine breaks is not the engine. Ours."""

ROWS = {
    "mllp": {
        "not-connected": Cause.ENGINE,
        "certificate": Cause.CERTIFICATE,
        "no-answer": Cause.UNACKNOWLEDGED,
        "half-an-answer": Cause.UNACKNOWLEDGED,
        "no-acknowledgement": Cause.UNACKNOWLEDGED,
    },
    "direct": {
        "not-connected": Cause.MAIL,
        "certificate": Cause.CERTIFICATE,
        "login": Cause.MAIL_LOGIN,
        "closed": Cause.MAIL_CLOSED,
        "no-answer": Cause.MAIL_SILENT,
    },
    "folder": {
        "folder-enoent": Cause.GONE,
        "folder-enotdir": Cause.GONE,
        "folder-estale": Cause.GONE,
        "folder-eacces": Cause.SHUT,
        "folder-eperm": Cause.SHUT,
        "folder-erofs": Cause.SHUT,
        "folder-enospc": Cause.FULL,
        "folder-edquot": Cause.FULL,
        "folder-slow": Cause.SLOW,
        "folder-eio": Cause.BROKEN,
        "folder-error": Cause.BROKEN,
    },
    "plugin": {"not-sent": Cause.NOT_SENT, "plugin-failed": Cause.FAILS},
}
"""The code of what became of one hand-over → what it says of the way; any other code is of the document alone. A Direct
address whose mails go by a folder has that folder's."""


def cause(way: str, given: Given) -> Cause | None:
    """What this says against the way as a whole; None where it speaks for it, or of itself alone."""
    found = ROWS.get(way, {}).get(given.code)
    return found if found is not None or way != "direct" else ROWS["folder"].get(given.code)


def causes(way: str) -> list[Cause]:
    """What can be the matter with a way, in the order of `Cause`."""
    found = {*ROWS.get(way, {}).values(), *(ROWS["folder"].values() if way == "direct" else ())}
    return [one for one in Cause if one in found]


@dataclass(slots=True)
class Streak:
    """How often each cause came in a row and of which documents, as one process sees it."""

    seen: dict[Cause, list[str]] = field(default_factory=dict)

    def add(self, found: Cause | None, control: str) -> Cause | None:
        """The cause for which nothing more should be given now, if this was one too many."""
        if found is None:
            self.seen.clear()
            return None
        told = HANDLED[found]
        controls = self.seen.setdefault(found, [])
        controls.append(control)
        return found if len(controls) >= told.after and len(set(controls)) >= told.documents else None


def reach_tells(reason: str) -> bool:
    """Whether reaching for the other side tells that this is over; else only something handed over does."""
    return any(told.reached for cause, told in HANDLED.items() if cause == reason)


def next_step(reason: str) -> str:
    """What its contact can do about it; "" for what is no cause of a hand-off."""
    return {cause.value: told.next_step for cause, told in HANDLED.items()}.get(reason, "")


def name_of(practice: str) -> str:
    """Under which name the ledger keeps the practice's way."""
    return BEFORE + practice


def practice_of(name: str) -> str:
    """Whose way the ledger keeps under this name; "" where it is a connection's."""
    return name.removeprefix(BEFORE) if name.startswith(BEFORE) else ""
