"""What a section tells, as coded entries. Each refers to the words of the narrative it stands for."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from xml.etree.ElementTree import Element

from bridge.documents.ccda.tree import (
    LOINC,
    SNOMED,
    SYSTEMS,
    code,
    identifier,
    interval,
    make,
    own_id,
    template,
    unknown,
)
from bridge.documents.moments import stamp
from bridge.documents.telling import concept, display
from bridge.model import type_json

GOING_ON = ("proposed", "planned", "accepted", "active", "on-hold")
"""A goal in one of these states is a Goal Observation, whose status is always active (CONF:1098-32334); what is over is
told in words alone."""

Refer = Callable[[str], str]
"""A text → the ID of the narrative content that says it, or ""."""


def goal(resource: type_json, refer: Refer) -> Element | None:
    """A Goal Observation: the goal's own words, in their language; None for a goal that is over."""
    if resource.get("lifecycleStatus") not in GOING_ON:
        return None
    words = concept(resource.get("description"))
    due = next((target["dueDate"] for target in resource.get("target", []) if target.get("dueDate")), "")
    start = resource.get("startDate", "")
    return make(
        "observation",
        template("2.16.840.1.113883.10.20.22.4.121"),
        *_ids(resource),
        _coded("code", resource.get("description", {}), refer(words)),
        _reference(refer(words)),
        make("statusCode", code="active"),
        interval(start, due) if start or due else None,
        make("value", text=words, xsi_type="ST", language=resource.get("language", "")),
        _said_by(resource),
        classCode="OBS",
        moodCode="GOL",
    )


def concern(resource: type_json, refer: Refer) -> Element | None:
    """A Health Concern Act that refers to the problem it is about."""
    words = concept(resource.get("code"))
    if not words:
        return None
    over = concept(resource.get("clinicalStatus")) in ("inactive", "resolved", "remission")
    when = interval(resource.get("onsetDateTime", ""), resource.get("abatementDateTime", ""))
    value = _coded("value", resource.get("code", {}), refer(words))
    value.set("xsi:type", "CD")
    problem = make(
        "observation",
        template("2.16.840.1.113883.10.20.22.4.4"),
        template("2.16.840.1.113883.10.20.22.4.4", "2015-08-01"),
        *_ids(resource, "problem"),
        make(
            "code",
            code("translation", "75326-9", LOINC, "Problem"),
            code="55607006",
            codeSystem=SNOMED,
            displayName="Problem",
        ),
        _reference(refer(words)),
        make("statusCode", code="completed"),
        when,
        value,
        classCode="OBS",
        moodCode="EVN",
    )
    return make(
        "act",
        template("2.16.840.1.113883.10.20.22.4.132"),
        template("2.16.840.1.113883.10.20.22.4.132", "2015-08-01"),
        *_ids(resource),
        code("code", "75310-3", LOINC, "Health concerns Document"),
        _reference(refer(words)),
        make("statusCode", code="completed" if over else "active"),
        make("entryRelationship", problem, typeCode="REFR"),
        classCode="ACT",
        moodCode="EVN",
    )


def scale(resource: type_json, refer: Refer) -> Element | None:
    """An Assessment Scale Observation of a result with a value; None where there is none."""
    value = _value(resource, refer)
    if value is None:
        return None
    when = resource.get("effectiveDateTime") or resource.get("effectivePeriod", {}).get("start", "")
    words = concept(resource.get("code"))
    return make(
        "observation",
        template("2.16.840.1.113883.10.20.22.4.69"),
        *_ids(resource),
        _coded("code", resource.get("code", {}), refer(words)),
        _reference(refer(words)),
        make("statusCode", code="completed"),
        make("effectiveTime", value=stamp(when)) if stamp(when) else unknown("effectiveTime"),
        value,
        classCode="OBS",
        moodCode="EVN",
    )


def note(key: str, reference: str, date: str, authors: Iterator[Element]) -> Element:
    """A Note Activity (C-CDA Companion Guide): these words are a note, written then, by these people."""
    return make(
        "act",
        template("2.16.840.1.113883.10.20.22.4.202", "2016-11-01"),
        own_id(key),
        make(
            "code",
            code("translation", "11506-3", LOINC, "Progress note"),
            code="34109-9",
            codeSystem=LOINC,
            displayName="Note",
        ),
        _reference(reference),
        make("statusCode", code="completed"),
        make("effectiveTime", value=stamp(date)) if stamp(date) else unknown("effectiveTime"),
        *authors,
        classCode="ACT",
        moodCode="EVN",
    )


ENTRIES: dict[str, Callable[[type_json, Refer], Element | None]] = {
    "Goal": goal,
    "Condition": concern,
    "Observation": scale,
}
"""Parts that have an entry here; the others are told in words alone."""


def _ids(resource: type_json, *more: str) -> Iterator[Element]:
    """The part's business identifiers; else one made of its own id."""
    found = resource.get("identifier", [])
    named = [] if more else (found if isinstance(found, list) else [found])
    if not named:
        yield own_id(resource["resourceType"], str(resource.get("id", "")), *more)
    for one in named:
        yield identifier(one.get("system", ""), one.get("value", ""))


def _said_by(resource: type_json) -> Element | None:
    """Whose goal it is, by name: an Author Participation (R15); without one it is the document's authors'."""
    name, start = display(resource.get("expressedBy")), stamp(resource.get("startDate", ""))
    if not name:
        return None
    return make(
        "author",
        template("2.16.840.1.113883.10.20.22.4.119"),
        make("time", value=start) if start else unknown("time"),
        make(
            "assignedAuthor",
            own_id("expressed-by", resource["expressedBy"].get("reference", ""), name),
            make("assignedPerson", make("name", text=name)),
        ),
    )


def _coded(tag: str, concept_: type_json, reference: str) -> Element:
    """A FHIR concept as a code where its system has an OID, else as words alone."""
    codings = [
        coding for coding in concept_.get("coding", []) if coding.get("system") in SYSTEMS and coding.get("code")
    ]
    original = make("originalText", make("reference", value=f"#{reference}")) if reference else None
    if not codings:
        return make(tag, original or make("originalText", text=concept(concept_)), nullFlavor="OTH")
    found = codings[0]
    oid, name = SYSTEMS[found["system"]]
    return make(
        tag,
        original,
        code=found["code"],
        codeSystem=oid,
        codeSystemName=name,
        displayName=found.get("display", ""),
    )


def _value(resource: type_json, refer: Refer) -> Element | None:
    if "valueInteger" in resource:
        return make("value", xsi_type="INT", value=str(resource["valueInteger"]))
    if "valueQuantity" in resource:
        quantity = resource["valueQuantity"]
        return make("value", xsi_type="PQ", value=str(quantity.get("value", "")), unit=quantity.get("code", "") or "1")
    if "valueString" in resource:
        return make("value", text=resource["valueString"], xsi_type="ST")
    if "valueCodeableConcept" in resource:
        found = resource["valueCodeableConcept"]
        value = _coded("value", found, refer(concept(found)))
        value.set("xsi:type", "CD")
        return value
    return None


def _reference(name: str) -> Element | None:
    return make("text", make("reference", value=f"#{name}")) if name else None
