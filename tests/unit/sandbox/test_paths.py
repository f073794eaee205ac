"""The path language of shapes and search parameters."""

from __future__ import annotations

from typing import Any

import pytest

from bridge.sandbox.paths import compile_path, kept, tree_of, values

RESOURCE: dict[str, Any] = {
    "status": "final",
    "effectivePeriod": {"start": "2026-01-01"},
    "effective": "not a choice",
    "code": {"coding": [{"code": "a"}, {"code": "b"}, "odd", None]},
    "telecom": [{"system": "phone", "value": "1"}, {"system": "email", "value": "2"}],
    "content": [{"attachment": {"data": "x", "title": "t"}, "format": {"code": "f"}}],
}


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("status", ["final"]),
        ("status.below", []),
        ("missing", []),
        ("code.coding.code", ["a", "b"]),
        ("effective[x]", [{"start": "2026-01-01"}]),
        ("effective[x].start", ["2026-01-01"]),
        ("telecom[system=email].value", ["2"]),
        ("telecom[system=fax]", []),
    ],
)
def test_values(path: str, found: list[object]) -> None:
    assert values(RESOURCE, compile_path(path)) == found


@pytest.mark.parametrize("path", ["", "a..b", "a[y]", "a b", "telecom.where(x)"])
def test_what_is_not_a_path(path: str) -> None:
    with pytest.raises(ValueError, match="not a path"):
        compile_path(path)


def test_kept_leaves_the_named_elements_and_the_original_alone() -> None:
    tree = tree_of(("status", "content.attachment.data", "absent"))
    assert kept(RESOURCE, tree) == {"status": "final", "content": [{"attachment": {"data": "x"}}]}
    assert "format" in RESOURCE["content"][0]
