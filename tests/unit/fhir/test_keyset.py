"""Our signing keys: what EHRs see of them, what signs when, and that nothing private is shown."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from joserfc import jwt
from joserfc.jwk import import_key

from bridge.fhir import keyset
from bridge.fhir.keyset import OVERLAP, Key, KeyState, Signer
from bridge.settings import Algorithm

NOW = 1_780_000_000_000_000
FIRST = Key(1, "test", "ES384", "one", '{"kid":"one"}', NOW, NOW)
NEXT = Key(2, "test", "ES384", "two", '{"kid":"two"}', NOW, NOW + OVERLAP)


@pytest.mark.parametrize("algorithm", ["ES384", "RS384"])
def test_what_a_key_signs_its_published_half_verifies(algorithm: Algorithm) -> None:
    pair = keyset.make(algorithm)
    signed = Signer(pair.kid, algorithm, pair.private).sign({"iss": "me"})
    read = jwt.decode(signed, import_key(json.loads(pair.public)), algorithms=[algorithm])
    assert read.header == {"alg": algorithm, "kid": pair.kid, "typ": "JWT"}
    assert read.claims == {"iss": "me"}


def test_the_published_half_has_public_members_alone() -> None:
    elliptic, rsa = json.loads(keyset.make("ES384").public), json.loads(keyset.make("RS384").public)
    assert set(elliptic) == {"kty", "crv", "x", "y", "kid", "alg", "use"}
    assert set(rsa) == {"kty", "n", "e", "kid", "alg", "use"}
    assert len(rsa["n"]) * 6 // 8 * 8 >= keyset.RSA_BITS


def test_a_private_key_is_not_shown() -> None:
    pair = keyset.make("ES384")
    assert "private" not in repr(pair)
    assert "private" not in repr(Signer(pair.kid, "ES384", pair.private))


def test_every_key_has_its_own_kid_that_no_command_takes_for_an_option() -> None:
    kids = {keyset.make("ES384").kid for _ in range(8)}
    assert len(kids) == 8
    assert all(kid[0].isalpha() for kid in kids)


@pytest.mark.parametrize(
    ("later", "first", "second"),
    [
        (0, KeyState.SIGNING, KeyState.WAITING),
        (OVERLAP - 1, KeyState.SIGNING, KeyState.WAITING),
        (OVERLAP, KeyState.REPLACED, KeyState.SIGNING),
        (2 * OVERLAP - 1, KeyState.REPLACED, KeyState.SIGNING),
        (2 * OVERLAP, KeyState.RETIRABLE, KeyState.SIGNING),
    ],
)
def test_a_rotation_goes_by_time_alone(later: int, first: KeyState, second: KeyState) -> None:
    known = [FIRST, NEXT]
    assert [keyset.state(key, known, NOW + later) for key in known] == [first, second]
    signs = FIRST if first is KeyState.SIGNING else NEXT
    assert keyset.signing(known, "test", ["ES384"], NOW + later) == signs
    assert [key["kid"] for key in json.loads(keyset.key_set(known, "test"))["keys"]] == ["two", "one"]


def test_a_new_key_signs_only_after_every_ehr_can_have_it() -> None:
    assert OVERLAP >= keyset.MAX_AGE * keyset.SECOND * 2
    assert keyset.signing([NEXT], "test", ["ES384"], NOW) is None


def test_a_retired_key_is_gone_and_the_one_before_signs_again() -> None:
    gone = replace(NEXT, retired_at=NOW + OVERLAP + 1)
    known = [FIRST, gone]
    assert keyset.state(gone, known, NOW + OVERLAP + 1) is KeyState.RETIRED
    assert keyset.signing(known, "test", ["ES384"], NOW + OVERLAP + 1) == FIRST
    assert json.loads(keyset.key_set(known, "test"))["keys"] == [{"kid": "one"}]


def test_test_and_production_share_nothing() -> None:
    other = replace(FIRST, id=3, kind="production", kid="three", public='{"kid":"three"}')
    assert keyset.signing([FIRST, other], "production", ["RS384", "ES384"], NOW) == other
    assert json.loads(keyset.key_set([FIRST, other], "production"))["keys"] == [{"kid": "three"}]
    assert keyset.signing([FIRST], "production", ["ES384"], NOW) is None


def test_the_first_algorithm_with_a_key_signs() -> None:
    rsa = replace(FIRST, id=4, algorithm="RS384", kid="four")
    assert keyset.signing([FIRST, rsa], "test", ["RS384"], NOW) == rsa
    assert keyset.signing([rsa], "test", ["ES384", "RS384"], NOW) == rsa
