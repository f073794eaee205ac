"""The table of answers (design: "Answers"), as data: the first row that fits decides; vendors' come first."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from bridge.model import AnswerClass as Class
from bridge.model import Failure, Interaction

C, R, S, U = Interaction.CREATE, Interaction.READ, Interaction.SEARCH, Interaction.UPDATE
WRITES = (C, U)
READS = (R, S)
ANY = (C, R, S, U)


class Body(StrEnum):
    """What stands in the body of an answer."""

    NONE = "none"
    TYPE = "type"  # the resource asked for: of a search a Bundle, else the type and, where one is known, the id
    OUTCOME = "outcome"  # an OperationOutcome
    OTHER = "other"  # a page for people, another resource, JSON that is not FHIR


class Learn(StrEnum):
    """What a refusal teaches about the connection."""

    NOTHING = ""
    INTERACTION = "interaction"  # this type does not take this interaction


@dataclass(frozen=True, slots=True)
class Row:
    """One row: every condition that is given must hold.

    `codes` are FHIR issue types, one of which an issue must have; `path` says that an issue must be about that element
    (`subject`) or about none (`none`). `known` says whether the answer names what stands now.
    """

    code: str
    means: Class
    note: str
    interactions: tuple[Interaction, ...] = ANY
    statuses: tuple[range | int, ...] = ()
    failure: Failure | None = None
    codes: tuple[str, ...] = ()
    path: str = ""
    body: tuple[Body, ...] = ()
    known: bool | None = None
    patient: bool | None = None  # the target is a Patient
    errors: bool | None = None  # an issue is an error or fatal
    stale: bool = False  # the vendor's own statuses for another version count too
    learn: Learn = Learn.NOTHING


OK, REDIRECT, CLIENT, SERVER = range(200, 300), range(300, 400), range(400, 500), range(500, 600)
REFUSED, MOVED = (400, 422), (301, 302, 303, 307, 308)
TYPE = Learn.INTERACTION
LOGIN = ("login", "expired", "unknown")
POLICY = ("forbidden", "suppressed", "security")
TWICE = ("duplicate", "multiple-matches")
GONE = ("not-found", "deleted")
UNSUPPORTED = ("not-supported",)
TABLE: tuple[Row, ...] = (
    # no answer
    Row("not-connected", Class.RETRY_LATER, "it never left", failure=Failure.NOT_CONNECTED),
    Row("not-now", Class.RETRY_LATER, "no budget, or the connection is down; it never left", failure=Failure.NOT_NOW),
    Row("no-login", Class.CONNECTION_DOWN, "no token could be had; it never left", failure=Failure.NO_LOGIN),
    Row("unsendable", Class.UNUSABLE, "no request can be made of it; it never left", failure=Failure.UNSENDABLE),
    Row("lost", Class.UNKNOWN, "it may have been accepted", WRITES, failure=Failure.LOST),
    Row("lost-read", Class.RETRY_LATER, "nothing changed", READS, failure=Failure.LOST),
    Row(
        "unread",
        Class.UNKNOWN,
        "it says done, and the answer is larger than 10 MiB or packed otherwise than asked for: look",
        WRITES,
        failure=Failure.UNREAD,
    ),
    Row(
        "unread-read",
        Class.UNUSABLE,
        "larger than 10 MiB, or packed otherwise than asked for; nothing changed",
        READS,
        failure=Failure.UNREAD,
    ),
    # done, or so it seems
    Row("accepted", Class.ACCEPTED, "taken, not delivered: look", WRITES, (202,)),
    Row("created", Class.DONE, "Location or body names it", (C,), (OK,), body=(Body.NONE, Body.TYPE), known=True),
    Row(
        "created-comment",
        Class.DONE,
        "Location names it, the body is no resource",
        (C,),
        (201,),
        known=True,
        errors=False,
    ),
    Row(
        "created-outcome",
        Class.UNKNOWN,
        "it says done, beside an error or not where: look",
        (C,),
        (OK,),
        body=(Body.OUTCOME,),
    ),
    Row("created-nowhere", Class.UNKNOWN, "it says done and not where: look", (C,), (201, 204), known=False),
    Row("created-empty", Class.UNKNOWN, "it says done and nothing else: look", (C,), (200,), body=(Body.NONE,)),
    Row("updated", Class.DONE, "what stands is what was put", (U,), (OK,), body=(Body.NONE, Body.TYPE)),
    Row("updated-comment", Class.DONE, "done, with a remark", (U,), (200, 201), body=(Body.OUTCOME,), errors=False),
    Row("updated-error", Class.UNKNOWN, "done, and an error: read again", (U,), (200, 201), body=(Body.OUTCOME,)),
    Row("read", Class.DONE, "the resource asked for", (R,), (200, 203), body=(Body.TYPE,)),
    Row("searched", Class.DONE, "a page of results", (S,), (200, 203), body=(Body.TYPE,)),
    Row("ok-unclear", Class.UNCLEAR, "it says done and holds something else, perhaps a login page", ANY, (OK,)),
    # somewhere else
    Row("patient-moved", Class.PATIENT, "the chart is elsewhere: merged", (R,), MOVED, known=True, patient=True),
    Row("redirect", Class.UNCLEAR, "nothing is followed: no token goes to another place", ANY, (REDIRECT,)),
    # the login
    Row("login", Class.CONNECTION_DOWN, "one new token, then the circuit opens", ANY, (401, 407)),
    Row("login-403", Class.CONNECTION_DOWN, "the login, not the resource", ANY, (403,), codes=LOGIN),
    # provably not accepted
    Row("too-many", Class.RETRY_LATER, "later, as Retry-After says", ANY, (429,)),
    Row("busy", Class.RETRY_LATER, "refused for now", ANY, (CLIENT,), codes=("throttled", "lock-error", "transient")),
    Row("locked", Class.RETRY_LATER, "refused while another has it, or before it may be sent", ANY, (423, 425)),
    # the server's own trouble
    Row("not-implemented", Class.UNSUPPORTED, "not implemented", ANY, (501,), codes=UNSUPPORTED, learn=TYPE),
    Row("server-read", Class.RETRY_LATER, "nothing changed", READS, (SERVER, 408)),
    Row("server-write", Class.UNKNOWN, "it may have been accepted before it failed", WRITES, (SERVER, 408)),
    # policy
    Row("policy-403", Class.POLICY, "not permitted; never another door", ANY, (403, 451)),
    Row("policy", Class.POLICY, "not permitted; never another door", ANY, (CLIENT,), codes=POLICY),
    # there already
    Row("duplicate", Class.DUPLICATE, "it stands there already, it says: look", (C,), (CLIENT,), codes=TWICE),
    Row("create-conflict", Class.DUPLICATE, "something stands in the way: look", (C,), (409, 412)),
    # not offered, by its own words
    Row("type", Class.UNSUPPORTED, "this type is not offered", ANY, (404,), codes=UNSUPPORTED, learn=TYPE),
    # the patient
    Row("patient-gone", Class.PATIENT, "the chart is gone", READS, (404, 410), patient=True),
    Row(
        "patient-unknown", Class.PATIENT, "it does not know the patient", WRITES, (CLIENT,), codes=GONE, path="subject"
    ),
    # another version
    Row("stale", Class.CONFLICT, "another version stands: read again", (U,), (409, 412), stale=True),
    Row("version-wanted", Class.CONFLICT, "it wants to be told the version: read again", (U,), (428,)),
    Row("gone", Class.CONFLICT, "what we would change is gone", (R, U), (404, 410)),
    # not offered, by status alone
    Row("method", Class.UNSUPPORTED, "this interaction is not offered", ANY, (405,), learn=TYPE),
    Row("format", Class.UNSUPPORTED, "another format is wanted", ANY, (406, 415), learn=TYPE),
    Row("size", Class.UNSUPPORTED, "larger than it takes", WRITES, (413,)),
    Row("search-gone", Class.UNSUPPORTED, "nobody answers this search", (S,), (404,), learn=TYPE),
    # not offered, as it says
    Row("unsupported", Class.UNSUPPORTED, "not supported", ANY, REFUSED, codes=UNSUPPORTED, path="none", learn=TYPE),
    Row("unsupported-element", Class.UNSUPPORTED, "an element is not supported", WRITES, REFUSED, codes=UNSUPPORTED),
    Row("too-long", Class.UNSUPPORTED, "an element is too long", WRITES, REFUSED, codes=("too-long", "too-costly")),
    Row("search-refused", Class.UNSUPPORTED, "it does not answer this search", (S,), (*REFUSED, 414)),
    # content
    Row("content", Class.CONTENT, "it does not take what we wrote", WRITES, (400,), body=(Body.OUTCOME,)),
    Row("content-422", Class.CONTENT, "it does not take what we wrote", WRITES, (422,)),
    # everything else
    Row("unclear", Class.UNCLEAR, "nobody can say: a person looks"),
)
