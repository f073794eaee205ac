"""FHIR resources as lines a person reads. Facts come from the canonical parts alone, so they cannot differ from them.

Words that people said stay as they are, in their language; codes and statuses are said in the reader's.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

from bridge.documents import moments
from bridge.documents.content import Line
from bridge.documents.telling import Telling, concept, display, value
from bridge.model import type_json

GOAL_IS_OVER = ("completed", "cancelled", "rejected", "entered-in-error")


def lines(resource: type_json, telling: Telling) -> tuple[Line, ...]:
    """The lines that tell one resource; empty for a type no document tells."""
    teller = TELLERS.get(resource.get("resourceType", ""))
    told = tuple(teller(resource, telling)) if teller else ()
    return (replace(told[0], apart=True), *told[1:]) if told else ()


def _encounter(resource: type_json, telling: Telling) -> Iterator[Line]:
    yield from telling.line("when", moments.span(resource.get("period", {}), telling.zone, telling.say))
    yield from telling.line("kind", concept(resource.get("type")))
    kind = resource.get("class")
    code = kind.get("code", "") if isinstance(kind, dict) else str(kind or "")
    place = telling.say.code("class", code)
    yield from telling.line("place", place if place != code else concept(kind))
    for participant in resource.get("participant", []):
        who = display(participant.get("individual"))
        role = concept(participant.get("type"))
        yield from telling.line("with", f"{who} ({role})" if who and role else who or role)
    length = resource.get("length", {}).get("value")
    yield from telling.line("length", f"{length} {telling.say('minutes')}" if length is not None else "")
    yield from telling.line("reason", concept(resource.get("reasonCode")))
    yield from telling.status(resource, "finished")


def _goal(resource: type_json, telling: Telling) -> Iterator[Line]:
    yield from telling.line("goal", concept(resource.get("description")), resource.get("language", ""))
    yield from telling.line("in-words-of", display(resource.get("expressedBy")))
    yield from telling.day("since", resource.get("startDate"))
    state = resource.get("lifecycleStatus", "")
    for target in resource.get("target", []):
        due = target.get("dueDate", "")
        said = moments.moment(due, telling.zone)
        yield from telling.line("due", said if state in GOAL_IS_OVER else telling.stale(said, due))
    yield from telling.line("status", telling.say.code("status", state))
    yield from telling.line("progress", concept(resource.get("achievementStatus")))


def _care_plan(resource: type_json, telling: Telling) -> Iterator[Line]:
    language = resource.get("language", "")
    yield from telling.line("name", resource.get("title", ""), language)
    yield from telling.span("when", resource.get("period"))
    yield from telling.status(resource, "active")
    yield from telling.line("description", resource.get("description", ""), language)
    for activity in resource.get("activity", []):
        detail = activity.get("detail", {})
        text = detail.get("description") or concept(detail.get("code"))
        yield from telling.line("activity", text or display(activity.get("reference")), language)


def _care_team(resource: type_json, telling: Telling) -> Iterator[Line]:
    yield from telling.line("name", resource.get("name", ""))
    for participant in resource.get("participant", []):
        role = concept(participant.get("role"))
        who = display(participant.get("member")) or ("" if participant.get("member") else telling.say("vacant"))
        ended = participant.get("period", {}).get("end", "")
        until = f", {telling.say('until').lower()} {moments.moment(ended, telling.zone)}" if ended else ""
        if role or who:
            yield Line(f"{who or role}{until}", role if role and who else telling.say("person"))
    yield from telling.status(resource, "active")


def _observation(resource: type_json, telling: Telling) -> Iterator[Line]:
    language = resource.get("language", "")
    found = value(resource, telling) or concept(resource.get("dataAbsentReason"))
    components = resource.get("component", [])
    label = concept(resource.get("code")) or telling.say("result")
    if found or not components:
        yield Line(found or telling.say("no-value"), label, language)
    for component in components:
        yield Line(value(component, telling) or telling.say("no-value"), concept(component.get("code")), language)
    yield from telling.line("interpretation", concept(resource.get("interpretation")))
    yield from telling.day("when", resource.get("effectiveDateTime"))
    yield from telling.span("when", resource.get("effectivePeriod"))
    yield from telling.status(resource, "final")


def _condition(resource: type_json, telling: Telling) -> Iterator[Line]:
    yield Line(concept(resource.get("code")), telling.say("Condition"), resource.get("language", ""))
    yield from telling.day("onset", resource.get("onsetDateTime"))
    status = concept(resource.get("clinicalStatus"))
    yield from telling.line("status", telling.say.code("status", status))


def _service_request(resource: type_json, telling: Telling) -> Iterator[Line]:
    yield from telling.line("kind", concept(resource.get("code")))
    yield from telling.line("for", ", ".join(filter(None, map(display, resource.get("performer", [])))))
    yield from telling.day("when", resource.get("occurrenceDateTime") or resource.get("authoredOn"))
    yield from telling.line("reason", concept(resource.get("reasonCode")))
    yield from telling.line("status", telling.say.code("status", resource.get("status", "")))


def _task(resource: type_json, telling: Telling) -> Iterator[Line]:
    text = resource.get("description") or concept(resource.get("code"))
    yield from telling.line("Task", text, resource.get("language", ""))
    yield from telling.line("for", display(resource.get("owner")))
    yield from telling.line("status", telling.say.code("status", resource.get("status", "")))
    yield from telling.line("reason", concept(resource.get("statusReason")))
    yield from telling.day("when", resource.get("lastModified") or resource.get("authoredOn"))
    yield from telling.span("due", resource.get("executionPeriod") or resource.get("restriction", {}).get("period"))


def _communication(resource: type_json, telling: Telling) -> Iterator[Line]:
    yield from telling.day("when", resource.get("sent") or resource.get("received"))
    yield from telling.line("medium", concept(resource.get("medium")))
    yield from telling.status(resource, "completed")
    for payload in resource.get("payload", []):
        yield from telling.line("said", payload.get("contentString", ""), resource.get("language", ""))


def _questionnaire_response(resource: type_json, telling: Telling) -> Iterator[Line]:
    yield from telling.day("when", resource.get("authored"))
    yield from telling.status(resource, "completed")
    yield from _items(resource.get("item", []), telling, resource.get("language", ""))


def _items(items: list[type_json], telling: Telling, language: str) -> Iterator[Line]:
    for item in items:
        answers = [value(answer, telling) for answer in item.get("answer", [])]
        if any(answers):
            yield Line(", ".join(filter(None, answers)), item.get("text", "") or telling.say("answers"), language)
        yield from _items(item.get("item", []), telling, language)
        for answer in item.get("answer", []):
            yield from _items(answer.get("item", []), telling, language)


TELLERS: dict[str, Callable[[type_json, Telling], Iterator[Line]]] = {
    "Encounter": _encounter,
    "Communication": _communication,
    "CarePlan": _care_plan,
    "Goal": _goal,
    "CareTeam": _care_team,
    "Condition": _condition,
    "Observation": _observation,
    "QuestionnaireResponse": _questionnaire_response,
    "ServiceRequest": _service_request,
    "Task": _task,
}
"""How each type is told, in the order a document tells them."""
