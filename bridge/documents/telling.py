"""How facts are said: labels, codes, moments and values, in the reader's language and the agency's time zone."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from bridge.documents import moments
from bridge.documents.content import Line
from bridge.documents.words import Words
from bridge.model import type_json


@dataclass(frozen=True, slots=True)
class Telling:
    """How facts are said: the words, the zone of instants, and the document's own date (YYYY-MM-DD, "" = unknown)."""

    say: Words
    zone: str
    on: str = ""

    def line(self, label: str, text: str, language: str = "") -> Iterator[Line]:
        """One labelled line, or none where there is nothing to say."""
        if text:
            yield Line(text, self.say(label), language)

    def day(self, label: str, value: Any) -> Iterator[Line]:
        yield from self.line(label, moments.moment(value, self.zone) if isinstance(value, str) else "")

    def span(self, label: str, period: Any) -> Iterator[Line]:
        """A period; marked where it ended before the document's date."""
        text = moments.span(period, self.zone, self.say) if isinstance(period, dict) else ""
        end = period.get("end", "") if isinstance(period, dict) else ""
        yield from self.line(label, self.stale(text, end))

    def stale(self, text: str, end: str) -> str:
        """The text, marked where its end lies before the document's date."""
        past = len(end) >= 10 and bool(self.on) and end[:10] < self.on
        return f"{text} ({self.say('ended')})" if text and past else text

    def status(self, resource: type_json, usual: str) -> Iterator[Line]:
        """The status, unless it is the one nobody needs to be told."""
        status = resource.get("status", "")
        if status != usual:
            yield from self.line("status", self.say.code("status", status))
            yield from self.line("reason", concept(resource.get("statusReason")))


def concept(value: Any) -> str:
    """The words of a CodeableConcept, a list of them, or a Coding: text, else display, else the code."""
    if isinstance(value, list):
        return ", ".join(filter(None, (concept(item) for item in value)))
    if not isinstance(value, dict):
        return value if isinstance(value, str) else ""
    coding: type_json = next(iter(value.get("coding", [])), {})
    words = (value.get("text"), coding.get("display"), coding.get("code"), value.get("display"), value.get("code"))
    return str(next(filter(None, words), ""))


def display(reference: Any) -> str:
    """What a reference calls the one it points to."""
    return str(reference.get("display", "")) if isinstance(reference, dict) else ""


def value(resource: type_json, telling: Telling) -> str:
    """The value of an Observation, its component, or an answer, in words."""
    for key, found in resource.items():
        if key.startswith("value"):
            return _value(key, found, telling)
    return ""


def _value(key: str, found: Any, telling: Telling) -> str:
    if key in ("valueCodeableConcept", "valueCoding"):
        return concept(found)
    if key == "valueBoolean":
        return telling.say("yes" if found else "no")
    if key == "valueQuantity":
        return f"{found.get('value', '')} {found.get('unit') or found.get('code') or ''}".strip()
    if key in ("valueDateTime", "valueDate"):
        return moments.moment(found, telling.zone)
    if key in ("valueString", "valueInteger", "valueDecimal", "valueTime", "valueUri"):
        return str(found)
    return ""
