"""Logs by allow-list: planted phrases find no way out, whoever logs them and however."""

from __future__ import annotations

import ast
import json
import logging
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from bridge import log
from bridge.errors import Problem, RecordError

CANARY = "CANARY Rosa Delgado 555-0142"
WORD = "canary-rosa-delgado"  # passes every pattern: only the field's name can stop it


@pytest.fixture(autouse=True)
def restored() -> Iterator[None]:
    root, ours = logging.getLogger(), logging.getLogger("bridge")
    before = (root.handlers[:], root.level, ours.level, sys.excepthook, threading.excepthook)
    yield
    root.handlers[:], sys.excepthook, threading.excepthook = before[0], before[3], before[4]
    root.setLevel(before[1])
    ours.setLevel(before[2])


@pytest.fixture
def lines(capsys: pytest.CaptureFixture[str]) -> Any:
    log.configure("json", logging.DEBUG)

    def read() -> list[dict[str, Any]]:
        text = capsys.readouterr().err
        assert CANARY not in text
        assert WORD not in text
        return [json.loads(line) for line in text.splitlines()]

    return read


def test_ids_codes_and_counts_pass(lines: Any) -> None:
    log.event("record.accepted", agency="harbor", kind="ma-soc/contact", record=12, count=3, seconds=0.5)
    (line,) = lines()
    assert line.pop("time").endswith("+00:00")
    assert line == {
        "level": "info",
        "event": "record.accepted",
        "agency": "harbor",
        "kind": "ma-soc/contact",
        "record": 12,
        "count": 3,
        "seconds": 0.5,
    }


def test_a_field_that_is_not_declared_is_hidden(lines: Any) -> None:
    log.event("x", name=WORD, person=WORD, value=WORD, narrative=CANARY, url=WORD)
    (line,) = lines()
    assert {value for key, value in line.items() if key not in ("time", "level", "event")} == {log.HIDDEN}


@pytest.mark.parametrize(
    "value", [CANARY, "two words", "", "a" * 65, "línea", "a\nb", [WORD], {"a": WORD}, None, b"x", WORD.encode()]
)
def test_a_code_that_is_not_short_and_plain_is_hidden(value: object, lines: Any) -> None:
    log.event("x", agency=value)
    assert lines()[0]["agency"] == log.HIDDEN


def test_a_number_is_no_text(lines: Any) -> None:
    log.event("x", record=WORD, count="7", entry=True)
    (line,) = lines()
    assert (line["record"], line["count"], line["entry"]) == (log.HIDDEN, log.HIDDEN, True)


def test_an_event_s_name_is_a_code_too(lines: Any) -> None:
    log.event(f"accepted {CANARY}")
    logging.getLogger("bridge").warning("saw %s", CANARY)
    assert [line["event"] for line in lines()] == [log.HIDDEN, log.HIDDEN]


def test_of_other_libraries_only_the_place_is_told(lines: Any) -> None:
    logging.getLogger("somebody.else").warning(f"could not read {CANARY}")
    logging.getLogger("somebody.else").info(CANARY)
    try:
        raise ValueError(CANARY)
    except ValueError:
        logging.getLogger("apscheduler").exception("job failed with %s", CANARY)
    first, second = lines()
    assert (first["event"], first["logger"], first["place"].split(":")[0]) == (
        "library",
        "somebody.else",
        "test_log.py",
    )
    assert (second["error"], second["frames"]) == ("ValueError", [])


def test_httpx_does_not_write_addresses_even_at_debug(lines: Any) -> None:
    transport = httpx.MockTransport(lambda request: httpx.Response(200))
    with httpx.Client(transport=transport) as client:
        client.get("http://127.0.0.1/Patient", params={"name": WORD})
    assert lines() == []


def test_a_failure_tells_type_codes_and_our_frames_only(lines: Any) -> None:
    try:
        try:
            log.describe(ValueError(CANARY))
            raise KeyError(CANARY)
        except KeyError as error:
            raise RecordError(Problem("kind-unknown", CANARY)) from error
    except RecordError as error:
        log.failure("record.failed", error, record=4)
    (line,) = lines()
    assert (line["error"], line["codes"], line["cause"], line["record"]) == (
        "RecordError",
        ["kind-unknown"],
        "KeyError",
        4,
    )


def test_our_own_frames_are_named_and_foreign_ones_not() -> None:
    with pytest.raises(ValueError, match=CANARY) as caught:
        log.configure("json", CANARY)  # type: ignore[arg-type]
    frames = log.describe(caught.value)["frames"]
    assert isinstance(frames, tuple)
    assert [frame.split(":")[0] for frame in frames] == ["bridge/log.py"]
    assert CANARY not in str(log.describe(caught.value))


def test_several_codes_pass_one_by_one(lines: Any) -> None:
    log.event("x", codes=("kind-unknown", CANARY))
    assert lines()[0]["codes"] == ["kind-unknown", log.HIDDEN]


def test_a_line_that_cannot_be_written_is_lost_and_not_shown(
    lines: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(log.Lines, "format", lambda *args: 1 / 0)
    log.event(CANARY)
    assert capsys.readouterr().err == ""


def test_an_unhandled_error_is_told_without_its_message(lines: Any) -> None:
    try:
        secret = CANARY
        raise ValueError(secret)
    except ValueError as error:
        sys.excepthook(ValueError, error, error.__traceback__)

    def fail() -> None:
        raise ValueError(CANARY)

    thread = threading.Thread(target=fail)
    thread.start()
    thread.join()
    assert [(line["event"], line["error"]) for line in lines()] == [("unhandled", "ValueError")] * 2


def test_the_terminal_form_is_one_readable_line(capsys: pytest.CaptureFixture[str]) -> None:
    log.configure("console")
    log.event("record.accepted", agency="harbor", count=2)
    log.event("not.shown", level=logging.DEBUG)
    text = capsys.readouterr().err
    assert text[8:] == " info    record.accepted agency=harbor count=2\n"


def test_every_event_in_the_bridge_uses_declared_fields() -> None:
    """A field that is not declared would be "?" in the log and nobody would notice."""
    undeclared = []
    for path in log.OURS.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and ast.unparse(node.func) in ("log.event", "log.failure"):
                named = {keyword.arg for keyword in node.keywords if keyword.arg} - {"level"}
                undeclared += [f"{Path(path).name}:{node.lineno} {field}" for field in named - set(log.FIELDS)]
    assert not undeclared
