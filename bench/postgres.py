"""A real PostgreSQL server to measure against: durable, in a folder on the disk, stopped by its process id."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.postgres import START_SECONDS, Server, binary, free_port, unprivileged, wait_until_it_answers

TICKS = os.sysconf("SC_CLK_TCK")


@contextmanager
def started() -> Iterator[tuple[Server, int] | None]:
    """The server with its process id; None where PostgreSQL is not installed."""
    initdb, postgres = binary("initdb"), binary("postgres")
    if initdb is None or postgres is None:
        yield None
        return
    who = unprivileged()
    folder = Path(tempfile.mkdtemp(prefix="bridge-bench-pg-"))
    if who:
        os.chown(folder, who["user"], who["group"])
    environment = {"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8", "TZ": "UTC"}
    data = str(folder / "data")
    try:
        command = [initdb, "-D", data, "-U", "bridge", "-A", "trust", "-E", "UTF8", "--no-sync"]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, cwd="/", env=environment, **who)
        server = Server(free_port(), folder)
        command = [postgres, "-D", data, "-p", str(server.port), "-k", str(folder), "-c", "listen_addresses=127.0.0.1"]
        with (folder / "log").open("wb") as log:
            process = subprocess.Popen(command, stdout=log, stderr=log, cwd="/", env=environment, **who)
        try:
            wait_until_it_answers(server, process)
            yield server, process.pid
        finally:
            process.send_signal(signal.SIGINT)
            process.wait(timeout=START_SECONDS)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def cpu_seconds(pid: int) -> float:
    """CPU seconds of the server so far, its ended and its living children included."""
    total = 0.0
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if stat.parent.name == str(pid):
            total += sum(map(int, fields[11:15]))
        elif fields[1] == str(pid):
            total += sum(map(int, fields[11:13]))
    return total / TICKS
