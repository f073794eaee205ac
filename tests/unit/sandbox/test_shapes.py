"""Shape files: every row rests on a fact with a source and a date, and a wrong file is refused whole."""

from __future__ import annotations

from pathlib import Path

import pytest

from bridge.sandbox.ehr import Ehr, Settings
from bridge.sandbox.loading import FOLDER, ShapeError, load, names, rows
from bridge.sandbox.paths import compile_path
from bridge.sandbox.rules import compile_rule

SMALL = """
extends: standard
shape: small
title: Small
fact: seen
facts: {seen: {source: a page, seen: 2026-11-22}}
resources: {Patient: {interactions: [read], search: [_id]}}
"""


def test_the_shapes_that_are_promised_are_there() -> None:
    assert {"open", "epic", "oracle", "ecw", "nextgen", "athena"} <= set(names())
    assert len(list(FOLDER.glob("*.yaml"))) == len(names()) + 1


@pytest.mark.parametrize("name", names())
def test_every_row_rests_on_a_fact(name: str) -> None:
    shape = load(name)
    assert all(row.fact in shape.facts for row in rows(shape))
    assert all(len(fact.source) > 10 and fact.seen.year >= 2026 for fact in shape.facts.values())


@pytest.mark.parametrize("name", names())
def test_every_rule_compiles_and_names_an_answer(name: str) -> None:
    ehr = Ehr(name, Settings())
    everything = {key: row.value or [] for key, row in ehr.shape.site.items()} | dict.fromkeys(
        [key for key, row in ehr.shape.site.items() if row.value is False], True
    )
    for kind, rules in ehr.shape.rules.items():
        for rule in rules:
            compiled = compile_rule(rule, everything)
            assert compiled is not None, (kind, rule.fact)
            assert compiled.reason in ehr.shape.answers, (kind, compiled.reason)
    for kind, fills in ehr.shape.fills.items():
        assert kind in ehr.shape.resources
        assert all(compile_path(name) for name in fills)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ("colour: blue", "colour: extra_forbidden"),
        ("rules: {Patient: [{require: [name], fact: heard}]}", "facts without a source: heard"),
        ("rules: {Patient: [{requires: [name]}]}", "rules.Patient.0.requires: extra_forbidden"),
        ("conduct: {if_match: {is: [no]}}", "conduct.if_match.is: string_type"),
        ("extends: nobody", "nobody: not a shape"),
        ("- a list", "not a shape"),
    ],
)
def test_a_wrong_file_is_told_by_place(tmp_path: Path, change: str, told: str) -> None:
    file = tmp_path / "small.yaml"
    content = SMALL.replace("extends: standard\n", "") if change.startswith("extends") else SMALL
    file.write_text(f"{content}{change}\n")
    with pytest.raises(ShapeError) as caught:
        load(str(file))
    assert told in str(caught.value)


def test_a_file_of_ones_own_is_a_shape(tmp_path: Path) -> None:
    file = tmp_path / "small.yaml"
    file.write_text(SMALL)
    ehr = Ehr(str(file), Settings())
    assert ehr.offers("Patient", "read")
    assert not ehr.offers("Patient", "search-type")
    assert not ehr.offers("Goal", "read")


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ("rules: {Patient: [{path: name}]}", "a rule without a check"),
        ("rules: {Patient: [{require: ['a b']}]}", "not a path"),
        ("rules: {Patient: [{require: [name], when: {path: 'a b', one_of: [c]}}]}", "not a path"),
        ("rules: {Patient: [{require: [name], if_site: moon}]}", "rules.Patient: 'moon'"),
        ("rules: {Patient: [{require: [name], reason: moon}]}", "no answer for moon"),
        ("parameters: {Patient: {eyes: token eyes..colour}}", "not a path"),
    ],
)
def test_a_rule_that_says_nothing_is_refused_at_the_start(tmp_path: Path, change: str, told: str) -> None:
    file = tmp_path / "small.yaml"
    file.write_text(f"{SMALL}{change}\n")
    with pytest.raises(ShapeError, match=told):
        Ehr(str(file), Settings())


def test_unknown_site_values_and_search_parameters_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ShapeError, match="no site values moon; it has"):
        Ehr("epic", Settings(site={"moon": 1}))
    file = tmp_path / "small.yaml"
    file.write_text(SMALL.replace("_id]", "_id, eyes]"))
    with pytest.raises(ShapeError, match="no such search parameters: eyes"):
        Ehr(str(file), Settings())
    with pytest.raises(ShapeError, match="not a shape"):
        load("nobody")
