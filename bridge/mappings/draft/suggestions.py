"""The parts a source's fields suggest, as lines of a mapping. No code is guessed: what needs one says so in words."""

from __future__ import annotations

from collections.abc import Iterator

from bridge.mappings.draft import names
from bridge.mappings.draft.columns import Column, Sort
from bridge.mappings.draft.notes import note_lines
from bridge.mappings.draft.shapes import (
    Source,
    expression,
    is_contact,
    is_roster,
    part_name,
    questions,
    scores,
    staying,
    subject_text,
    title,
)
from bridge.mappings.draft.yamltext import MARK, braced, commented, quoted, unsure


def part_lines(source: Source) -> Iterator[str]:
    """The lines under `emits:`."""
    if is_roster(source):
        yield from _patient(source)
        return
    encounter = source.when is not None and is_contact(source)
    if encounter:
        yield from _encounter(source)
    for column in scores(source):
        yield from _observation(source, column)
    yield from _suggested(source)
    yield from note_lines(source, encounter)


def label_lines(source: Source) -> Iterator[str]:
    """The lines under `labels:`: one for each field that stays for now, to be taken up when it may leave."""
    for column in staying(source):
        about = f", about: {source_role}" if (source_role := _about(column, source)) else ""
        yield f"  # - {{ path: {quoted(column.dotted)}, class: {column.label or 'narrative'}{about} }}"


def _about(column: Column, source: Source) -> str:
    roles = {role for role, _ in source.guessed.people} & names.CAREGIVER
    return next(iter(sorted(roles)), "") if column.label == "caregiver-health" else ""


def _encounter(source: Source) -> Iterator[str]:
    when = source.when
    assert when is not None  # noqa: S101 - asked by the caller
    outcome = source.coded(frozenset({"outcome", "result", "attendance"})) or source.coded(names.TYPE)
    hint = f" of {expression(outcome)}: {', '.join(outcome.values)}" if outcome is not None and outcome.values else ""
    yield unsure("  encounter:", f"did every record take place, with somebody reached? else add a `when`{hint}")
    yield f"    about: {source.role}"
    yield "    resourceType: Encounter"
    yield "    status: finished"
    place, type_ = source.coded(names.PLACE), source.coded(names.TYPE)
    setting = place or type_
    reason = "FHIR wants a code of v3-ActCode (HH, AMB, VR, FLD): give each row of the table one, then use coding()"
    if setting is not None:
        words = f"{{{{ %tables.words('{source.tables[setting.path]}', {expression(setting)}) }}}}"
        yield unsure(f"    class: {{ display: {braced(words)} }}", reason)
    else:
        yield unsure("    class: { display: Contact }", "no field reads as the place; FHIR wants a code of v3-ActCode")
    if type_ is not None:
        concept = f"{{{{ %tables.concept('{source.tables[type_.path]}', {expression(type_)}) }}}}"
        yield f"    type: [ {braced(concept)} ]"
    else:
        yield unsure(f"    type: [ {{ text: {quoted(title(source.name))} }} ]", "no field reads as the type of contact")
    yield f"    subject: {subject_text(source)}"
    yield f"    period: {{ {', '.join(_period(source, when))} }}"
    purpose = source.coded(frozenset({"purpose", "reason", "motivo", "topic"}))
    if purpose is not None:
        concept = f"{{{{ %tables.concept('{source.tables[purpose.path]}', {expression(purpose)}) }}}}"
        yield f"    reasonCode: [ {braced(concept)} ]"
    yield '    serviceProvider: { display: "{{ %agency.name }}" }'


def _period(source: Source, when: Column) -> Iterator[str]:
    yield f"start: {braced(f'{{{{ instant({expression(when)}) }}}}')}"
    if source.guessed.ended:
        yield f"end: {braced(f'{{{{ instant({expression(source.guessed.ended[0].column)}) }}}}')}"


def _observation(source: Source, column: Column) -> Iterator[str]:
    path = expression(column)
    yield unsure(
        f"  {part_name(column)}:",
        "about whom? a caregiver's result is never a fact about the child, nor in their chart",
    )
    yield f"    about: {source.role}"
    yield f"    when: {quoted(f'{path}.exists()')}"
    yield "    resourceType: Observation"
    yield "    status: final"
    yield unsure(
        f"    code: {{ text: {quoted(title(column.path[-1]))} }}", "the instrument's code, if you know its source"
    )
    yield f"    subject: {subject_text(source)}"
    if source.when is not None:
        yield f"    effectiveDateTime: {braced(f'{{{{ instant({expression(source.when)}) }}}}')}"
    yield '    performer: [ { display: "{{ %agency.name }}" } ]'
    if "string" in column.node.types:
        path += ".toInteger()" if "integer" in column.node.formats else ".toDecimal()"
    element = "valueQuantity: { value: %s }" if _decimal(column) else "valueInteger: %s"
    yield f"    {element % braced(f'{{{{ {path} }}}}')}"


def _decimal(column: Column) -> bool:
    types = column.node.types
    return bool(types["number"]) or (bool(types["string"]) and "integer" not in column.node.formats)


def _suggested(source: Source) -> Iterator[str]:
    """Parts that need what does not leave yet, or what the source does not say: written as comments."""
    for stem, group in questions(source).items():
        told = ", ".join(one.dotted for one in group[:3])
        yield f"  {MARK} {told}, …: the answers to one questionnaire? then:"
        first = braced(f"{{{{ {expression(group[0])} }}}}")
        yield from commented(
            [
                f"  {'-'.join(names.words(stem)) or 'answers'}:",
                f"    about: {source.role}",
                "    resourceType: QuestionnaireResponse",
                "    questionnaire: the canonical URL of the questionnaire",
                "    status: completed",
                f"    subject: {subject_text(source)}",
                "    item:",
                f"      - linkId: {quoted(group[0].path[-1])}",
                f"        answer: [ {{ valueString: {first} }} ]",
            ]
        )
    for column in staying(source):
        if column.words & names.GOAL or (len(column.path) > 1 and set(names.words(column.path[-2])) & names.GOAL):
            if column.sort is not Sort.WORDS:
                continue
            yield f"  {MARK} {column.dotted}: a goal in somebody's words? once it may leave:"
            each = [f"    each: {quoted('.'.join(column.path[:-1]))}"] if column.listed and len(column.path) > 1 else []
            words = f"%item.{column.path[-1]}" if each else expression(column)
            yield from commented(
                [
                    f"  {part_name(column)}:",
                    f"    about: {source.role}",
                    *each,
                    "    resourceType: Goal",
                    "    lifecycleStatus: active",
                    f'    description: {{ text: "{{{{ {words} }}}}" }}',
                    f"    subject: {subject_text(source)}",
                ]
            )
    if set(names.words(source.name)) & {"referral", "referrals"}:
        yield f"  {MARK} referrals: the pack ma-soc makes a ServiceRequest and a Task of each (ma-soc/service-referral)"


def _patient(source: Source) -> Iterator[str]:
    yield unsure("  patient:", "a person, to be matched with a chart and never made in one; only what the match needs")
    yield f"    about: {source.role}"
    yield "    resourceType: Patient"
    gender = source.coded(frozenset({"gender", "sex"}))
    table = f", from {source.tables[gender.path]} once its rows say so" if gender is not None else ""
    yield unsure("    gender: unknown", f"male, female, other or unknown{table}")
    known = [one for one in staying(source) if not one.listed]
    named = [one for one in known if one.words & names.NAMING]
    born = [one for one in known if one.sort is Sort.MOMENT and one.words & names.BIRTH]
    for column in named:
        element = "family" if column.words & names.FAMILY else "given"
        listed = braced(f"{{{{ {expression(column)} }}}}")
        yield f"    # name: [ {{ {element}: {listed if element == 'family' else f'[ {listed} ]'} }} ]"
    for column in born:
        yield f"    # birthDate: {braced(f'{{{{ {expression(column)} }}}}')}"
