from __future__ import annotations

import pytest

from bridge.mappings.expressions import NotAnExpression, parse


@pytest.mark.parametrize("text", ["a b", "a.where(", "a..b", "a & 'x' = ", "'open", "a.b{", "", "  ", "a)"])
def test_what_is_not_fhirpath_to_its_end_is_refused(text: str) -> None:
    with pytest.raises(NotAnExpression):
        parse(text)


@pytest.mark.parametrize(
    "text", ["a", "a.b.where(c = 'x').first()", "iif(a.exists(), b | c, {})", "%x.`odd name`", "-1"]
)
def test_what_is_fhirpath_is_parsed_once(text: str) -> None:
    assert parse(text) is parse(text)
