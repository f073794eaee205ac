"""The codes of an OperationOutcome, without anybody's words: never `diagnostics` or `details.text`, which may quote the
chart, and of paths only those that are elements of what we write.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from bridge.model import type_json

_NUMBER = re.compile(r"\d{1,8}|MSG_[A-Z_]{1,40}")
_SEVERITIES = frozenset({"fatal", "error", "warning", "information"})
_CODES = frozenset(
    {
        *("invalid", "structure", "required", "value", "invariant", "security", "login", "unknown", "expired"),
        *("forbidden", "suppressed", "processing", "not-supported", "duplicate", "multiple-matches", "not-found"),
        *("deleted", "too-long", "code-invalid", "extension", "too-costly", "business-rule", "conflict", "transient"),
        *("lock-error", "no-store", "exception", "timeout", "incomplete", "throttled", "informational"),
    }
)
"""FHIR R4 issue types (http://hl7.org/fhir/issue-type)."""

_PATH = re.compile(r"/?(?:f:)?[A-Z][A-Za-z]{2,40}(?:[./](?:f:)?[a-z][A-Za-z]{0,40}(?:\[\d{1,4}\])?){1,12}")
_BARE = re.compile(r"([a-z][A-Za-z]{0,40})(?:\[\d{1,4}\])?(?:/[a-z][A-Za-z]{0,40}(?:\[\d{1,4}\])?){0,12}")
_ELEMENTS = frozenset(
    {
        *("activity", "addresses", "author", "authenticator", "basedon", "careteam", "category", "class"),
        *("clinicalstatus", "code", "component", "content", "context", "custodian", "date", "description", "docstatus"),
        *("effective", "encounter", "focus", "for", "goal", "identifier", "intent", "item", "lifecyclestatus", "meta"),
        *("note", "onset", "owner", "participant", "patient", "payload", "performer", "period", "questionnaire"),
        *("reasoncode", "recipient", "relatesto", "requester", "sender", "serviceprovider", "source", "status"),
        *("subject", "target", "text", "type", "value", "verificationstatus"),
    }
)
"""Elements of what we write; one vendor points to them in lower case and without the type (`facts`: epic)."""


@dataclass(frozen=True, slots=True)
class Issue:
    """One issue of an OperationOutcome. `code` is FHIR's, `details` the vendor's, `path` the element it is about."""

    severity: str
    code: str
    details: tuple[str, ...] = ()
    path: str = ""

    def __str__(self) -> str:
        return " ".join(filter(None, (self.code, *self.details, self.path)))

    @property
    def codes(self) -> frozenset[str]:
        """FHIR's code and the vendor's."""
        return frozenset((self.code, *self.details))

    @property
    def is_error(self) -> bool:
        """Whether it says that something went wrong, not only that something is to be known."""
        return self.severity in ("error", "fatal")


def issues(outcome: type_json | None, type: str) -> Iterator[Issue]:
    """The issues of an OperationOutcome, as far as they are well-formed; paths only where they lie in `type`."""
    if outcome is None or outcome.get("resourceType") != "OperationOutcome":
        return
    for issue in _objects(outcome.get("issue")):
        details = issue.get("details")
        codings = _objects(details.get("coding")) if isinstance(details, dict) else ()
        paths = [*_strings(issue.get("expression")), *_strings(issue.get("location"))]
        yield Issue(
            _one_of(issue.get("severity"), _SEVERITIES),
            _one_of(issue.get("code"), _CODES),
            tuple(filter(None, (number(coding.get("code")) for coding in codings))),
            next((path for path in paths if is_path(path, type)), ""),
        )


def is_path(text: str, type: str) -> bool:
    """Whether the text is the path of an element of `type`, and so no value of a record."""
    if _PATH.fullmatch(text):
        return text.removeprefix("/").removeprefix("f:").startswith(type)
    bare = _BARE.fullmatch(text)
    return bare is not None and bare[1].lower() in _ELEMENTS


def number(value: Any) -> str:
    """A vendor's code: a number, or one of HL7's MSG_ codes; else ""."""
    return value if isinstance(value, str) and _NUMBER.fullmatch(value) else ""


def _one_of(value: Any, known: frozenset[str]) -> str:
    return value if isinstance(value, str) and value in known else ""


def _objects(value: Any) -> Iterator[type_json]:
    for item in value if isinstance(value, list) else ():
        if isinstance(item, dict):
            yield item


def _strings(value: Any) -> Iterator[str]:
    for item in value if isinstance(value, list) else ():
        if isinstance(item, str):
            yield item
