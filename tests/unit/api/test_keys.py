"""The key sets EHRs read: public members, cache headers, the same from every process."""

from __future__ import annotations

import json

from bridge.fhir.keyset import MAX_AGE
from bridge.moves import signing
from bridge.store import leases
from tests.unit.api.opened import NOW, Opened

TEST, PRODUCTION = "/.well-known/jwks/test.json", "/.well-known/jwks/production.json"


def test_no_key_is_an_empty_set(doors: Opened) -> None:
    answer = doors.client.get(TEST)
    assert (answer.status_code, answer.json()) == (200, {"keys": []})


def test_a_set_is_public_and_may_be_kept_for_a_while(doors: Opened) -> None:
    key = signing.new(doors.ledger, "test", "ES384", "test", NOW)
    answer = doors.client.get(TEST)
    assert answer.headers["cache-control"] == f"public, max-age={MAX_AGE}"
    assert answer.headers["content-type"] == "application/jwk-set+json"
    (shown,) = answer.json()["keys"]
    assert shown == json.loads(key.public)
    assert set(shown) == {"kty", "crv", "x", "y", "kid", "alg", "use"}
    assert doors.client.get(PRODUCTION).json() == {"keys": []}


def test_a_set_that_did_not_change_is_not_sent_again(doors: Opened) -> None:
    signing.new(doors.ledger, "test", "ES384", "test", NOW)
    tag = doors.client.get(TEST).headers["etag"]
    for given in (tag, f"W/{tag}", f'"other", {tag}'):
        again = doors.client.get(TEST, headers={"If-None-Match": given})
        assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", tag)
    signing.rotate(doors.ledger, "test", "ES384", 1, "test", NOW + 1)
    fresh = doors.client.get(TEST, headers={"If-None-Match": tag})
    assert (fresh.status_code, len(fresh.json()["keys"])) == (200, 2)


def test_there_are_two_sets_and_no_more(doors: Opened) -> None:
    assert doors.client.get("/.well-known/jwks/other.json").status_code == 404


def test_token_calls_are_figures(doors: Opened) -> None:
    doors.ledger.write(leases.count_token_calls, leases.TokenCall("one", called=True, failed=True, narrowed=False))
    text = doors.client.get("/metrics").text
    assert 'bridge_token_calls_total{connection="one"} 1.0' in text
    assert 'bridge_token_failures_total{connection="one"} 1.0' in text
    assert 'bridge_token_narrowed_total{connection="one"} 0.0' in text
