"""Vendor facts: all of them load, each says where it was seen, and a wrong file says all that is wrong."""

from __future__ import annotations

import importlib.resources

import pytest

from bridge.ehr import facts
from bridge.ehr.facts import Fact, VendorFacts, known, read_vendor, vendor
from bridge.errors import ConfigError
from bridge.model import AnswerClass, Interaction

GENERIC = (importlib.resources.files("bridge.ehr") / "vendors" / "generic.yaml").read_text(encoding="utf-8")
SMALL = """
vendor: mine
title: Mine
sources:
  tried: { what: "tried at our own site", seen: 2026-11 }
"""


def test_the_vendors_of_the_issue_are_known() -> None:
    assert {"open", "epic", "oracle", "athena", "ecw", "nextgen", "openemr", "hapi", "generic"} <= set(known())


@pytest.mark.parametrize("name", known())
def test_each_fact_says_where_and_when_it_was_seen(name: str) -> None:
    loaded = vendor(name)
    assert loaded.vendor == name
    sections = [getattr(loaded, key) for key in VendorFacts.model_fields]
    sections += [getattr(loaded.document, key) for key in type(loaded.document).model_fields]
    told = [found for found in sections if isinstance(found, Fact)]
    assert len(told) > 20
    assert all(found.source.what and found.source.seen.startswith("20") for found in told)
    assert all(exception.source.seen.startswith("20") for exception in loaded.exceptions)


def test_a_vendor_takes_what_it_does_not_say_from_generic() -> None:
    assert vendor("athena").document.mimes == vendor("generic").document.mimes
    assert vendor("oracle").search_by_post.value is True
    assert vendor("oracle").document.times.value is True
    assert vendor("generic").document.times.value is False
    assert vendor("epic").exceptions
    assert not vendor("generic").exceptions


def test_codes_are_text_however_yaml_reads_them() -> None:
    (duplicate,) = [found for found in vendor("epic").exceptions if "59141" in found.codes]
    assert duplicate.means is AnswerClass.DUPLICATE
    assert duplicate.interactions == (Interaction.CREATE,)


def test_an_unknown_vendor_names_the_known_ones() -> None:
    with pytest.raises(ConfigError) as caught:
        vendor("nobody")
    (problem,) = caught.value.problems
    assert problem.code == "vendor-unknown"
    assert "epic" in problem.rule
    assert "generic" in problem.next_step


def test_a_sites_own_file_needs_only_what_differs() -> None:
    mine = read_vendor(SMALL + "visibility_delay: { value: 5, source: tried }\n", "mine.yaml", GENERIC)
    assert (mine.vendor, mine.visibility_delay.value) == ("mine", 5)
    assert mine.visibility_delay.source.what == "tried at our own site"


def test_every_problem_of_a_file_comes_at_once_with_its_line() -> None:
    text = SMALL + "visibility_delay: { value: soon, source: tried }\nshoe_size: 43\n"
    with pytest.raises(ConfigError) as caught:
        read_vendor(text, "mine.yaml", GENERIC)
    assert {(problem.where, problem.field) for problem in caught.value.problems} == {
        ("mine.yaml:6", "visibility_delay.value"),
        ("mine.yaml:7", "shoe_size"),
    }


def test_a_fact_without_a_known_source_is_refused() -> None:
    with pytest.raises(ConfigError) as caught:
        read_vendor(SMALL + "if_match: { value: required, source: hearsay }\n", "mine.yaml", GENERIC)
    (problem,) = caught.value.problems
    assert (problem.code, problem.where) == ("vendor-source", "mine.yaml:6")


def test_a_file_that_is_no_yaml_says_so() -> None:
    with pytest.raises(ConfigError) as caught:
        read_vendor("vendor: [", "mine.yaml", GENERIC)
    assert caught.value.problems[0].code == "yaml-syntax"


def test_facts_are_frozen_and_shared() -> None:
    assert facts.vendor("epic") is facts.vendor("epic")
    with pytest.raises(ValueError, match="frozen"):
        facts.vendor("epic").title = "other"
