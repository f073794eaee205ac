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


def states(command: Command) -> list[str]:
    return [key["state"] for key in command("keys", "list", "--json").json["keys"]]


def test_a_rotation_by_command(command: Command, time: Time) -> None:
    assert "bridge keys new" in command("keys", "list").out
    first = command("keys", "new", "--json").json
    assert (first["state"], first["kind"], first["algorithm"]) == ("signing", "test", "ES384")
    assert first["address"].endswith("/.well-known/jwks/test.json")
    second = command("keys", "rotate", "--json").json
    assert second["state"] == "waiting"
    assert states(command) == ["signing", "waiting"]
    time.now += OVERLAP
    assert states(command) == ["replaced", "signing"]
    early = command("keys", "retire", first["kid"])
    assert (early.code, "key-early" in early.err) == (2, True)
    time.now += OVERLAP
    assert f"bridge keys retire {first['kid']}" in command("keys", "list").out
    assert command("keys", "retire", first["kid"]).code == 0
    assert states(command) == ["retired", "signing"]
    with command.ledger() as ledger, ledger.read() as connection:
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
def test_a_wrong_step_is_told(command: Command, time: Time, before: list[str], wrong: list[str], code: str) -> None:
    for step in before:
        assert command("keys", step).code == 0
    told = command("keys", *wrong)
    assert (told.code, code in told.err) == (2, True)


def test_the_key_that_signs_is_retired_only_when_it_is_meant(command: Command, time: Time) -> None:
    kid = command("keys", "new", "--kind", "production", "--json").json["kid"]
    told = command("keys", "retire", kid)
    assert (told.code, "key-signing" in told.err) == (2, True)
    assert command("keys", "retire", kid, "--now", "--json").json["state"] == "retired"
    assert command("keys", "new", "--kind", "production").code == 0


def test_no_command_shows_a_private_part(command: Command, time: Time) -> None:
    said = "".join(command("keys", *step).out for step in (["new"], ["rotate"], ["list"], ["list", "--json"]))
    assert '"d"' not in said
    assert "PRIVATE" not in said
