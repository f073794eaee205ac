"""What one hand-over, and a row of them, says of a whole way."""

from __future__ import annotations

import asyncio
import errno
import os
import shutil
import smtplib
import ssl
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest

from bridge.handoff import circuit, direct, journal
from bridge.handoff.circuit import HANDLED, ROWS, Cause, Streak
from bridge.handoff.folder import Folder, Form
from bridge.handoff.over import Fate, Given
from bridge.settings import Secret
from tests.unit.handoff.making import over

DOCUMENTS = Form(lambda one: "xml", lambda one: one.body)


def test_every_cause_has_its_row_its_words_and_its_next_step() -> None:
    assert set(HANDLED) == set(Cause) == {cause for rows in ROWS.values() for cause in rows.values()}
    assert len({told.next_step for told in HANDLED.values()}) == len(Cause)
    assert all(circuit.next_step(cause.value) == HANDLED[cause].next_step for cause in Cause)
    assert circuit.next_step("not reachable") == ""


@pytest.mark.parametrize(
    ("way", "given", "cause"),
    [
        ("mllp", Given(Fate.LATER, "not-connected"), Cause.ENGINE),
        ("mllp", Given(Fate.LOST, "no-answer"), Cause.UNACKNOWLEDGED),
        ("mllp", Given(Fate.REFUSED, "AE 204"), None),
        ("mllp", Given(Fate.LATER, "AE 207"), None),
        ("mllp", Given(Fate.CONFIRMED, "AA"), None),
        ("direct", Given(Fate.LATER, "not-connected"), Cause.MAIL),
        ("direct", Given(Fate.LATER, "login"), Cause.MAIL_LOGIN),
        ("direct", Given(Fate.REFUSED, "smtp 550"), None),
        ("direct", Given(Fate.LATER, "folder-enospc"), Cause.FULL),
        ("folder", Given(Fate.LATER, "folder-eacces"), Cause.SHUT),
        ("folder", Given(Fate.REFUSED, "file-exists"), None),
        ("plugin", Given(Fate.LATER, "not-sent"), Cause.NOT_SENT),
        ("plugin", Given(Fate.REFUSED, "plugin"), None),
        ("packet", Given(Fate.GIVEN, "packet"), None),
    ],
)
def test_what_one_hand_over_says(way: str, given: Given, cause: Cause | None) -> None:
    assert circuit.cause(way, given) is cause


def test_a_refusal_of_every_document_is_about_documents_however_many_come() -> None:
    streak = Streak()
    refused = circuit.cause("mllp", Given(Fate.REFUSED, "AR 200"))
    assert [streak.add(refused, f"DB-{number}") for number in range(100)] == [None] * 100


def test_a_document_at_which_an_engine_breaks_is_not_the_engine() -> None:
    streak = Streak()
    assert [streak.add(Cause.UNACKNOWLEDGED, "DB-1") for _ in range(10)] == [None] * 10
    assert streak.add(Cause.UNACKNOWLEDGED, "DB-2") is Cause.UNACKNOWLEDGED


@pytest.mark.parametrize("cause", Cause)
def test_only_so_many_in_a_row_open_the_circuit(cause: Cause) -> None:
    streak, most = Streak(), HANDLED[cause].after
    assert [streak.add(cause, f"DB-{number}") for number in range(most - 1)] == [None] * (most - 1)
    streak.add(None, "DB-good")
    found = [streak.add(cause, f"DB-{number}") for number in range(most)]
    assert found == [None] * (most - 1) + [cause]


# ── what the ways say ─────────────────────────────────────────────────────────────────────────────────────────────
@pytest.mark.parametrize(("number", "code"), [(errno.ENOSPC, "folder-enospc"), (errno.EROFS, "folder-erofs")])
def test_a_folder_says_what_is_the_matter_with_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int, code: str
) -> None:
    def fails(*asked: object) -> bool:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(journal, "put", fails)
    assert asyncio.run(Folder(tmp_path, DOCUMENTS, 5).give(over())) == Given(Fate.LATER, code)


def test_a_folder_that_can_be_neither_written_nor_read_breaks_no_worker(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was given is not known then: it is not given a second time on a guess."""

    def fails(*asked: object) -> bool:
        raise PermissionError(errno.EACCES, "no")

    monkeypatch.setattr(journal, "put", fails)
    monkeypatch.setattr(journal, "stage", fails)
    way = Folder(tmp_path, DOCUMENTS, 5)
    assert asyncio.run(way.give(over())) == Given(Fate.LOST, "folder-eacces")
    monkeypatch.setattr(Path, "is_dir", fails)
    assert asyncio.run(way.reach()) == "the folder cannot be read"


def test_a_folder_without_room_is_told_before_anything_is_given(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda folder: SimpleNamespace(free=4096))
    assert asyncio.run(Folder(tmp_path, DOCUMENTS, 5).reach()) == "the folder is full"


class Port:
    """A submission port that fails while it is connected to."""

    def __init__(self, at: str, failure: Exception) -> None:
        self.at, self.failure = at, failure

    def __call__(self, host: str, port: int, timeout: float) -> Port:
        return self._maybe("connect")

    def _maybe(self, at: str) -> Port:
        if at == self.at:
            raise self.failure
        return self

    def starttls(self, context: ssl.SSLContext) -> None:
        self._maybe("starttls")

    def login(self, user: str, password: str) -> None:
        self._maybe("login")

    def close(self) -> None:
        """Closed."""


@pytest.mark.parametrize(
    ("at", "failure", "code"),
    [
        ("connect", smtplib.SMTPConnectError(421, b"busy"), "closed"),
        ("connect", TimeoutError(), "not-connected"),
        ("starttls", ssl.SSLCertVerificationError(), "certificate"),
        ("login", smtplib.SMTPAuthenticationError(535, b"no"), "login"),
    ],
)
def test_a_mail_server_says_what_is_the_matter_with_it(
    monkeypatch: pytest.MonkeyPatch, at: str, failure: Exception, code: str
) -> None:
    to = direct.Submission("h", 587, ssl.create_default_context(), user="u", password=Secret("p"))
    monkeypatch.setattr(smtplib, "SMTP", Port(at, failure))
    submit: Callable[[direct.Submission, bytes], Given] = direct.Direct.__new__(direct.Direct)._submit
    assert submit(to, b"") == Given(Fate.LATER, code)


@pytest.mark.parametrize(("reply", "fate", "code"), [(530, Fate.LATER, "login"), (421, Fate.LATER, "closed"),
                                                     (550, Fate.REFUSED, "smtp 550")])  # fmt: skip
def test_a_reply_about_the_login_refuses_no_document(reply: int, fate: Fate, code: str) -> None:
    assert direct.by_code(reply) == Given(fate, code)
