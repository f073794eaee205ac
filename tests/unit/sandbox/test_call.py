"""Which interaction a request is."""

from __future__ import annotations

import pytest

from bridge.sandbox.call import Call, route


@pytest.mark.parametrize(
    ("method", "path", "told"),
    [
        ("GET", "/metadata", ("capabilities", "", "", "")),
        ("GET", "/.well-known/smart-configuration", ("smart-configuration", "", "", "")),
        ("GET", "/Patient", ("search-type", "Patient", "", "")),
        ("POST", "/Patient/_search", ("search-type", "Patient", "", "")),
        ("GET", "/Patient/a-1.b", ("read", "Patient", "a-1.b", "")),
        ("GET", "/Patient/1/_history/2", ("vread", "Patient", "1", "2")),
        ("POST", "/Patient/", ("create", "Patient", "", "")),
        ("PUT", "/Patient/1", ("update", "Patient", "1", "")),
        ("PUT", "/Patient", ("other", "Patient", "", "")),
        ("PATCH", "/Patient/1", ("other", "Patient", "1", "")),
        ("DELETE", "/Patient/1", ("other", "Patient", "1", "")),
        ("GET", "/Patient/1/_history", ("other", "Patient", "1", "")),
        ("GET", "/Patient/$match", ("other", "Patient", "", "")),
        ("GET", "/Patient/a%2Fb", ("other", "Patient", "", "")),
        ("POST", "/", ("other", "", "", "")),
        ("GET", "/patients", ("other", "", "", "")),
    ],
)
def test_route(method: str, path: str, told: tuple[str, str, str, str]) -> None:
    assert route(method, path) == told


def test_parameters_of_a_posted_search() -> None:
    call = Call("POST", "/Patient/_search", "a=1&b=%7C2", body=b"c=3+4&a=")
    assert call.parameters(False) == [("a", "1"), ("b", "|2"), ("c", "3 4"), ("a", "")]
    assert call.parameters(True) == [("c", "3 4"), ("a", "")]
