"""Each way of handing over against a real other side: a port, a folder, a mail server, a callable."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import ssl
import subprocess
import sys
from pathlib import Path

import pytest

from bridge.handoff import journal, mllp, plugin
from bridge.handoff.folder import Folder
from bridge.handoff.mdm import Names
from bridge.handoff.opening import DOCUMENTS
from bridge.handoff.over import Fate, HandOver, Look
from bridge.model import Action
from tests.flow.engines import START, acknowledged, engine, half, mistaken, silent
from tests.unit.handoff.making import REFERENCE, over, pem


def given(way: mllp.Mllp | Folder | plugin.Plugin, one: HandOver | None = None) -> tuple[Fate, str]:
    answer = asyncio.run(way.give(one or over()))
    return answer.fate, answer.code


# ── MLLP ──────────────────────────────────────────────────────────────────────────────────────────────────────────
@pytest.mark.parametrize(
    ("behave", "fate", "code"),
    [
        (acknowledged("AA"), Fate.CONFIRMED, "AA"),
        (acknowledged("CA"), Fate.GIVEN, "CA"),
        (acknowledged("AE", "204"), Fate.REFUSED, "AE 204"),
        (acknowledged("AR", "207"), Fate.LATER, "AR 207"),
        (acknowledged("CE"), Fate.REFUSED, "CE"),
        (acknowledged("CR"), Fate.REFUSED, "CR"),
        (acknowledged("ZZ"), Fate.LOST, "unknown-code"),
        (half, Fate.LOST, "half-an-answer"),
        (mistaken, Fate.LOST, "half-an-answer"),
        (silent, Fate.LOST, "no-answer"),
        (lambda control, message: START + b"hello\x1c\r", Fate.LOST, "no-acknowledgement"),
    ],
)
def test_what_an_engine_s_answer_means(behave: object, fate: Fate, code: str) -> None:
    with engine() as found:
        found.otherwise = behave  # type: ignore[assignment]
        assert given(mllp.Mllp(mllp.Endpoint("127.0.0.1", found.port, 0.3), Names())) == (fate, code)
        assert len(found.raw) == 1


def test_an_answer_to_an_earlier_message_is_not_taken_for_this_one_s() -> None:
    def both(control: str, message: bytes) -> bytes:
        late = mistaken(control, message) or b""
        return late + (acknowledged("AE")(control, message) or b"")

    with engine() as found:
        found.otherwise = both
        assert given(mllp.Mllp(mllp.Endpoint("127.0.0.1", found.port, 1), Names())) == (Fate.REFUSED, "AE")


def test_where_nobody_listens_nothing_left() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    way = mllp.Mllp(mllp.Endpoint("127.0.0.1", port, 1), Names())
    assert given(way) == (Fate.LATER, "not-connected")
    assert asyncio.run(way.reach()) == "no connection (ConnectionRefusedError)"


def test_tls_reaches_only_an_engine_whose_certificate_is_trusted(tmp_path: Path) -> None:
    certificate, key = pem("localhost")
    (tmp_path / "c.pem").write_bytes(certificate)
    (tmp_path / "k.pem").write_bytes(key)
    theirs = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    theirs.load_cert_chain(tmp_path / "c.pem", tmp_path / "k.pem")

    async def run(trusted: bool) -> Fate:
        ours = ssl.create_default_context(cafile=tmp_path / "c.pem" if trusted else None)
        ours.check_hostname = False

        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.readuntil(mllp.END)
            writer.write(acknowledged("AA")(REFERENCE, b"") or b"")
            await writer.drain()
            writer.close()

        server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=theirs)
        async with server:
            port = server.sockets[0].getsockname()[1]
            return (await mllp.Mllp(mllp.Endpoint("127.0.0.1", port, 2, ours), Names()).give(over())).fate

    assert asyncio.run(run(trusted=True)) is Fate.CONFIRMED
    assert asyncio.run(run(trusted=False)) is Fate.LATER


# ── a folder ──────────────────────────────────────────────────────────────────────────────────────────────────────
def test_a_file_is_given_once_and_never_overwritten(tmp_path: Path) -> None:
    way = Folder(tmp_path, DOCUMENTS, 5)
    assert given(way) == (Fate.GIVEN, "file")
    (file,) = tmp_path.glob("*.xml")
    assert (file.name, file.read_bytes()) == (f"{REFERENCE}.xml", over().body)
    assert file.stat().st_mode & 0o077 == 0
    file.write_bytes(b"theirs now")
    assert given(way, over(body=b"another")) == (Fate.GIVEN, "file")
    assert file.read_bytes() == b"theirs now"
    (tmp_path / f"{REFERENCE}-C.xml").write_bytes(b"somebody else's")
    assert given(way, over(Action.RETRACT)) == (Fate.REFUSED, "file-exists")
    assert asyncio.run(way.look(over())) is Look.GIVEN


def test_a_folder_that_is_not_there_gets_it_later(tmp_path: Path) -> None:
    way = Folder(tmp_path / "gone", DOCUMENTS, 5)
    assert given(way) == (Fate.LATER, "folder-enoent")
    assert asyncio.run(way.look(over())) is Look.ABSENT
    assert asyncio.run(way.reach()) == "the folder is not there"


KILLED = """
import os, sys
from pathlib import Path
from bridge.handoff import journal
after, folder = int(sys.argv[1]), Path(sys.argv[2])
real, count = os.fsync, 0
def fsync(descriptor):
    global count
    real(descriptor)
    count += 1
    if count == after:
        os.kill(os.getpid(), 9)
os.fsync = fsync
journal.put(folder, "DB-A.xml", b"x" * 100_000)
"""


@pytest.mark.parametrize("after", [1, 2, 3, 4, 5, 6])
def test_kill_9_leaves_a_whole_file_or_none_and_it_is_known_which(tmp_path: Path, after: int) -> None:
    done = subprocess.run([sys.executable, "-c", KILLED, str(after), str(tmp_path)], check=False, env=dict(os.environ))
    assert done.returncode == -signal.SIGKILL
    file = tmp_path / "DB-A.xml"
    there = file.exists()
    assert not there or len(file.read_bytes()) == 100_000
    assert (journal.stage(tmp_path, "DB-A.xml") is journal.Stage.GIVEN) is there
    if there:
        file.unlink()  # the engine took it
        assert not journal.put(tmp_path, "DB-A.xml", b"again")
        assert not file.exists()
    else:
        assert journal.put(tmp_path, "DB-A.xml", b"again")
        assert file.read_bytes() == b"again"


def test_an_answer_beside_a_file_is_of_that_file_alone(tmp_path: Path) -> None:
    way = Folder(tmp_path, DOCUMENTS, 5)
    asked = frozenset({REFERENCE, f"{REFERENCE}-C"})
    assert asyncio.run(way.heard(asked)) == {}
    (tmp_path / f"{REFERENCE}.xml.ack").write_bytes(b"MSH|^~\\&|E\rMSA|AE|" + REFERENCE.encode() + b"\r")
    (tmp_path / "DB-AAAAAAAAAAAA.ack").touch()
    (tmp_path / f"{REFERENCE}-C.ok").write_bytes(b"MSH|^~\\&|E\rMSA|AA|another\r")
    assert asyncio.run(way.heard(asked)) == {REFERENCE: Fate.REFUSED}


# ── a site's own ──────────────────────────────────────────────────────────────────────────────────────────────────
@pytest.mark.parametrize(
    ("says", "fate"),
    [
        ("accepted", Fate.GIVEN),
        ("refused", Fate.REFUSED),
        ("unknown", Fate.LOST),
        ("thanks", Fate.LOST),
        (7, Fate.LOST),
    ],
)
def test_what_a_plug_in_says(says: object, fate: Fate) -> None:
    assert given(plugin.Plugin(lambda one: says, 1, confirms=False))[0] is fate  # type: ignore[arg-type,return-value]


def test_a_plug_in_that_fails_may_have_sent_and_one_that_says_so_did_not() -> None:
    def fails(one: HandOver) -> str:
        raise RuntimeError(one.patient.family)

    def waits(one: HandOver) -> str:
        raise plugin.NotSent

    assert given(plugin.Plugin(fails, 1, confirms=True)) == (Fate.LOST, "plugin-failed")
    assert given(plugin.Plugin(waits, 1, confirms=True)) == (Fate.LATER, "not-sent")
    assert asyncio.run(plugin.Plugin(fails, 1, confirms=True).look(over())) is Look.PERSON
