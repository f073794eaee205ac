"""`bridge keys`: a rotation step by step, and every wrong step told."""

from __future__ import annotations

import pytest

from bridge.cli import keys
from bridge.fhir.keyset import OVERLAP
from bridge.store.signing import private_of
from tests.unit.cli.conftest import Command

NOW = 1_780_000_000_000_000


class Time:
    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> int:
        return self.now


@pytest.fixture
def time(monkeypatch: pytest.MonkeyPatch) -> Time:
    clock = Time()
    monkeypatch.setattr(keys, "system_clock", clock)
    return clock


def states(bridge: Command) -> list[str]:
    return [key["state"] for key in bridge("keys", "list", "--json").json["keys"]]


def test_a_rotation_by_command(bridge: Command, time: Time) -> None:
    assert "bridge keys new" in bridge("keys", "list").out
    first = bridge("keys", "new", "--json").json
    assert (first["state"], first["kind"], first["algorithm"]) == ("signing", "test", "ES384")
    assert first["address"].endswith("/.well-known/jwks/test.json")
    second = bridge("keys", "rotate", "--json").json
    assert second["state"] == "waiting"
    assert states(bridge) == ["signing", "waiting"]
    time.now += OVERLAP
    assert states(bridge) == ["replaced", "signing"]
    early = bridge("keys", "retire", first["kid"])
    assert (early.code, "key-early" in early.err) == (2, True)
    time.now += OVERLAP
    assert f"bridge keys retire {first['kid']}" in bridge("keys", "list").out
    assert bridge("keys", "retire", first["kid"]).code == 0
    assert states(bridge) == ["retired", "signing"]
    with bridge.ledger() as ledger, ledger.read() as connection:
        assert private_of(connection, 1) == b""


@pytest.mark.parametrize(
    ("before", "wrong", "code"),
    [
        (["new"], ["new"], "key-exists"),
        ([], ["rotate"], "key-none"),
        (["new"], ["rotate", "--algorithm", "RS384"], "key-none"),
        (["new", "rotate"], ["rotate"], "key-waiting"),
        ([], ["retire", "nothing"], "key-unknown"),
    ],
)
def test_a_wrong_step_is_told(bridge: Command, time: Time, before: list[str], wrong: list[str], code: str) -> None:
    for step in before:
        assert bridge("keys", step).code == 0
    told = bridge("keys", *wrong)
    assert (told.code, code in told.err) == (2, True)


def test_the_key_that_signs_is_retired_only_when_it_is_meant(bridge: Command, time: Time) -> None:
    kid = bridge("keys", "new", "--kind", "production", "--json").json["kid"]
    told = bridge("keys", "retire", kid)
    assert (told.code, "key-signing" in told.err) == (2, True)
    assert bridge("keys", "retire", kid, "--now", "--json").json["state"] == "retired"
    assert bridge("keys", "new", "--kind", "production").code == 0


def test_no_command_shows_a_private_part(bridge: Command, time: Time) -> None:
    said = "".join(bridge("keys", *step).out for step in (["new"], ["rotate"], ["list"], ["list", "--json"]))
    assert '"d"' not in said
    assert "PRIVATE" not in said
