"""Codes against the required value sets of the elements they reach: literal codes, enumerations and table rows."""

from __future__ import annotations

import difflib
from collections.abc import Iterator

from bridge.fhir.definitions import ValueSet
from bridge.mappings.lint.elements import profiles_of
from bridge.mappings.lint.subject import Subject, listed
from bridge.mappings.lint.walking import Object, Value, Walked
from bridge.mappings.parts import PartTemplate

_BOUND = ("code", "Coding", "CodeableConcept")


def check_bindings(subject: Subject, walked: Walked) -> None:
    """Codes that an element's required value set does not have."""
    part = walked.part
    if part is None:
        return
    for value in walked.values:
        element = value.at.element
        if element is None or len(element.types) != 1:
            continue
        for url, known in _sets(subject, part, value.at.path, element.binding):
            if element.types[0] == "code" or (element.types[0] == "uri" and element.binding):
                _check_texts(subject, part, value, url, known)
            if element.types[0] in _BOUND:
                _check_rows(subject, part, value, element.types[0], url, known)
    for one in walked.objects:
        _check_coding(subject, part, one, walked)


def _sets(subject: Subject, part: PartTemplate, path: str, binding: str) -> Iterator[tuple[str, ValueSet]]:
    """The required value sets of an element whose codes are all at hand."""
    urls = [binding] if binding else []
    for profile in profiles_of(subject, part):
        constraint = profile.elements.get(f"{part.type}.{path}")
        if constraint is not None and constraint.binding:
            urls.append(constraint.binding)
    for url in dict.fromkeys(urls):
        known = subject.definitions.value_sets.get(url)
        if known is not None and known.codes and "" not in known.open:
            yield url, known


def _check_texts(subject: Subject, part: PartTemplate, value: Value, url: str, known: ValueSet) -> None:
    """The texts a code can be, where they are known and are no table's."""
    if known.open:
        return
    codes = [code for system in known.codes.values() for code in system]
    texts = frozenset({value.constant}) if isinstance(value.constant, str) else value.given.texts
    if texts is None or value.given.rows:
        return
    for text in sorted(map(str, texts)):
        if text not in codes:
            rule = f"{text!r} is no code of {_short(url)}, which this element requires"
            near = difflib.get_close_matches(text, codes, 1)
            step = f"did you mean {near[0]}?" if near else f"there are {listed(codes)}"
            subject.say("code-unbound", value.place.value, rule, f"{part.type}.{value.at.path}", step)


def _check_rows(subject: Subject, part: PartTemplate, value: Value, type_: str, url: str, known: ValueSet) -> None:
    """The rows whose codes can come here. A row without a code is told of elsewhere."""
    wanted = "String" if type_ == "code" else type_
    if value.given.types != {wanted}:
        return
    for table, row in value.given.rows:
        in_set = row.target in known.codes.get(row.system, ()) or row.system in known.open
        if type_ == "code":
            in_set = bool(known.open) or any(row.target in codes for codes in known.codes.values())
        if row.target and not in_set:
            where = subject.rows.where(table, row.code, "target", row.start) or value.place.value
            rule = f"the code of the row {row.code!r} reaches an element whose value set {_short(url)} lacks it"
            codes = [code for system in known.codes.values() for code in system]
            step = f"there are {listed(codes)}"
            subject.say("row-unbound", where, rule, f"{part.type}.{value.at.path}", step)


def _check_coding(subject: Subject, part: PartTemplate, one: Object, walked: Walked) -> None:
    """A Coding written out, by itself or inside a CodeableConcept."""
    element = one.at.element
    if element is None or element.types != ("Coding",):
        return
    owner = one.at.path
    binding = element.binding
    if owner.endswith(".coding"):
        above = subject.definitions.element(part.type, owner.removesuffix(".coding"))
        if above is not None and above.types == ("CodeableConcept",):
            owner, binding = owner.removesuffix(".coding"), above.binding
    parts = {
        value.at.path.rpartition(".")[2]: value
        for value in walked.values
        if value.at.path.rpartition(".")[0] == one.at.path and _inside(value, one)
    }
    system, code = parts.get("system"), parts.get("code")
    if code is None or not isinstance(code.constant, str) or system is None or not isinstance(system.constant, str):
        return
    for url, known in _sets(subject, part, owner, binding):
        if system.constant in known.open or code.constant in known.codes.get(system.constant, ()):
            continue
        rule = f"{code.constant!r} of this system is no code of {_short(url)}, which this element requires"
        near = difflib.get_close_matches(code.constant, known.codes.get(system.constant, ()), 1)
        step = f"did you mean {near[0]}?" if near else f"its systems are {listed([*known.codes, *known.open])}"
        subject.say("code-unbound", code.place.value, rule, f"{part.type}.{owner}", step)


def _inside(value: Value, one: Object) -> bool:
    key = value.at.path.rpartition(".")[2]
    return key in one.keys and one.keys[key].key == value.place.key


def _short(url: str) -> str:
    return url.rpartition("/")[2]
