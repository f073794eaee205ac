"""A secret is given to its one use and shown nowhere."""

from __future__ import annotations

import copy
import json
import pickle
from pathlib import Path

import pytest

from bridge.errors import Problem
from bridge.settings import Secret
from bridge.settings import secret as room
from tests.unit.settings.project import secret as write_secret


def test_it_does_not_show() -> None:
    held = Secret("hush")
    assert held.reveal() == "hush"
    assert "hush" not in f"{held} {held!r} {[held]} {[held]!s:>20}"


@pytest.mark.parametrize("serialise", [pickle.dumps, copy.deepcopy, json.dumps])
def test_it_is_not_serialised(serialise: object) -> None:
    assert callable(serialise)
    with pytest.raises(TypeError) as caught:
        serialise(Secret("hush"))
    assert "hush" not in str(caught.value)


def test_secrets_compare_by_value() -> None:
    assert Secret("a") == Secret("a")
    assert Secret("a") != Secret("b")
    assert Secret("a") != "a"
    assert len({Secret("a"), Secret("a"), Secret("b")}) == 2


def test_a_set_but_empty_variable_is_told_apart(tmp_path: Path) -> None:
    found = room.read_secret({"env": "NAME"}, tmp_path, {"NAME": ""})
    assert isinstance(found, Problem)
    assert "set but empty" in found.rule


def test_what_a_container_engine_mounts_may_be_readable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "CONTAINER_SECRETS", tmp_path)
    write_secret(tmp_path / "token", "value", 0o444)
    assert room.read_secret({"file": "token"}, tmp_path, {}) == Secret("value")
