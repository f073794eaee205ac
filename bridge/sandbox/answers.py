"""What is answered when a request is not done: the shape's own status, words and body for each reason.

No answer carries a value of the request: places are element paths, texts are the shape's.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

import orjson

from bridge.sandbox.paths import Json
from bridge.sandbox.shape import Answer, Said, Shape

FHIR_JSON = "application/fhir+json"


class Verdict(StrEnum):
    """What the audit counts an answer as."""

    DONE = "done"
    REFUSED = "refused"  # content, version or reference was not accepted
    UNSUPPORTED = "unsupported"  # the interaction, type, parameter or media type is not offered
    UNAUTHORIZED = "unauthorized"
    ABSENT = "absent"  # nothing of that id
    FAILED = "failed"  # a fault: throttled, unavailable, an error


_VERDICTS = {
    "unsupported-interaction": Verdict.UNSUPPORTED,
    "unsupported-type": Verdict.UNSUPPORTED,
    "parameter-unknown": Verdict.UNSUPPORTED,
    "media-type": Verdict.UNSUPPORTED,
    "not-acceptable": Verdict.UNSUPPORTED,
    "login": Verdict.UNAUTHORIZED,
    "not-found": Verdict.ABSENT,
    "throttled": Verdict.FAILED,
    "ceiling": Verdict.FAILED,
    "read-only": Verdict.FAILED,
    "unavailable": Verdict.FAILED,
    "exception": Verdict.FAILED,
}


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing wrong with a request: the reason, the element (`Type.path`), and a rule's own words for it."""

    reason: str
    place: str = ""
    says: Said | None = None
    located: str = ""  # where it is instead


@dataclass(slots=True)
class Reply:
    """What goes back, before any fault: `committed` says that the store changed."""

    status: int
    headers: list[tuple[str, str]] = field(default_factory=list)
    body: bytes = b""
    verdict: Verdict = Verdict.DONE
    committed: bool = False
    ignored: int = 0  # search parameters that were not supported and not read
    made: str = ""  # the id of what was created


class Refusal(Exception):
    """A request is not done; caught where the reply is made."""

    def __init__(self, *findings: Finding) -> None:
        self.findings = findings
        super().__init__(", ".join(finding.reason for finding in findings))


def refuse(shape: Shape, *findings: Finding) -> Reply:
    """The shape's answer to the findings; the first decides status and form."""
    answer, says = shape.answers[findings[0].reason], findings[0].says
    reply = Reply((says and says.status) or answer.status, verdict=_VERDICTS.get(findings[0].reason, Verdict.REFUSED))
    if findings[0].reason == "login":
        reply.headers.append(("www-authenticate", "Bearer"))
    if findings[0].located:
        reply.headers.append(("location", findings[0].located))
    if answer.body == "text":
        reply.headers.append(("content-type", "text/plain; charset=utf-8"))
        reply.body = answer.text.encode()
    elif answer.body == "status-key":
        detail, text = (says.detail, says.text) if says else (answer.detail, answer.text)
        reply.headers.append(("content-type", FHIR_JSON))
        reply.body = orjson.dumps({"status": int(detail), "key": text})
    elif answer.body == "outcome":
        reply.headers.append(("content-type", FHIR_JSON))
        reply.body = orjson.dumps(outcome(shape, findings))
    return reply


def outcome(shape: Shape, findings: tuple[Finding, ...]) -> Json:
    """The OperationOutcome of the findings, in the shape's style."""
    return {"resourceType": "OperationOutcome", "issue": [_issue(shape, finding) for finding in findings]}


def note(shape: Shape, code: str, text: str, severity: str = "warning") -> Json:
    """An OperationOutcome that only tells something, for a search that was done."""
    detail = Answer(fact=shape.fact, status=200, code="informational", detail=code, text=text)
    return {"resourceType": "OperationOutcome", "issue": [_spoken(shape, detail, severity)]}


def _issue(shape: Shape, finding: Finding) -> Json:
    answer = shape.answers[finding.reason]
    if finding.says:
        answer = answer.model_copy(update={"detail": finding.says.detail, "text": finding.says.text})
    issue = _spoken(shape, answer, answer.severity)
    if finding.place:
        kind, _, path = finding.place.partition(".")
        style = shape.conduct.points.chosen
        if style == "location":  # XPath-like, as Oracle's own example: /f:AllergyIntolerance/f:status
            issue["location"] = ["/f:" + "/f:".join(finding.place.split("."))]
        elif style == "slashes":  # as Epic answers: code/instant, verificationstatus
            issue["expression"] = [(path or kind).replace(".", "/").lower()]
        else:
            issue["expression"] = [finding.place]
    return issue


def _spoken(shape: Shape, answer: Answer, severity: str) -> Json:
    details: Json = {"text": answer.text}
    if answer.detail:
        coding = {"code": answer.detail, "display": answer.text}
        details["coding"] = [{"system": shape.detail_system, **coding} if shape.detail_system else coding]
    return {"severity": severity, "code": answer.code or "processing", "details": details, "diagnostics": answer.text}
