"""`python -m tests.flow.campaign.nursery`: the process that workers are forked from, so that each starts at once.

One JSON order a line: `{"project": …}` starts a worker and answers its process id; `{"freeze": pid}` and
`{"thaw": pid}` stop one and let it go on; `{"kill": pid}` kills one by SIGKILL, and answers how it ended once it is
gone. Workers that still run end with the nursery.
"""

from __future__ import annotations

import asyncio
import copy
import faulthandler
import json
import os
import signal
import sys
import traceback
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from sqlalchemy import Select

from bridge import log, pipeline
from bridge.ehr import circuit, decide
from bridge.ehr.chart import Chart
from bridge.jobs import worker
from bridge.jobs.open import connected, open_line, validator
from bridge.jobs.worker import Worker, system_clock
from bridge.mappings import load as mappings
from bridge.mappings.load import Mappings
from bridge.mappings.watching import Watching
from bridge.model import Action, EntryState, Interaction, Request, Response
from bridge.moves import matching, settling, writing
from bridge.moves.finishing import Outcome, finish
from bridge.moves.line import Line
from bridge.moves.turning import Turn
from bridge.settings import load
from bridge.store import lanes, leases
from bridge.store.lanes import LaneWork
from bridge.store.past_steps import Last

KNOWN: dict[tuple[tuple[str, str], ...], Mappings] = {}
read_mappings = mappings.load


def main() -> None:
    """Answers orders until there are none, and ends what it started."""
    log.configure("json")
    validator()  # the dear parts of starting, done once: this, and the mappings of a project
    mappings.load = remembered
    say("READY")
    children: set[int] = set()
    known: set[Path] = set()
    try:
        for line in sys.stdin:
            order = json.loads(line)
            if "freeze" in order or "thaw" in order:
                pid, number = (order["thaw"], signal.SIGCONT) if "thaw" in order else (order["freeze"], signal.SIGSTOP)
                os.kill(pid, number)
                say(pid)
            elif "kill" in order:
                children.discard(order["kill"])
                say(end(order["kill"]))
            else:
                project = load(Path(order["project"]))
                if project.directory not in known:  # what each start needs is imported and read once, for all of them
                    with open_line(project, "work", system_clock()):
                        known.add(project.directory)
                child = os.fork()
                if child == 0:
                    work(order)
                children.add(child)
                say(child)
    finally:
        for child in children:
            end(child)


def remembered(files: Mapping[str, str], watching: Watching | None = None) -> Mappings:
    """The mappings of these files, read once."""
    assert watching is None, "no worker watches"
    key = tuple(sorted(files.items()))
    if key not in KNOWN:
        KNOWN[key] = read_mappings(files)
    return KNOWN[key]


def say(word: object) -> None:
    """One line to who ordered."""
    sys.stdout.write(f"{word}\n")
    sys.stdout.flush()


def end(child: int) -> int:
    """The child is gone; minus the signal that ended it, or its exit code."""
    os.kill(child, signal.SIGKILL)  # it is not reaped yet, so the id is still its own
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def work(order: dict[str, Any]) -> None:
    """In the child: one worker, until it is killed; exit code 1 where it ended by itself."""
    sys.stdin.close()
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.dup2(2, 1)
    faulthandler.register(signal.SIGUSR1)  # where it stands, to the log
    worker.BATCH = order.get("batch", worker.BATCH)
    quicken()
    if order.get("broken"):
        BROKEN[order["broken"]]()
    try:
        asyncio.run(run(Path(order["project"]), order.get("lanes", 8)))
    except BaseException:  # noqa: BLE001 - whatever it was, it is told, and nothing of the parent runs on here
        traceback.print_exc()
    finally:
        os._exit(1)


async def run(project: Path, lanes: int) -> None:
    """A worker as `bridge work` runs one, that takes so many lanes at a time."""
    with open_line(load(project), "work", system_clock()) as line:
        async with connected(line):
            await Worker(line, lanes=lanes).run()


def quicken() -> None:
    """What has to wait waits for some seconds at most, so that a campaign need not."""
    usual = decide.back_off

    def sooner(entry: str, attempts: int, first: int = 0, longest: int = 0) -> int:
        return usual(entry, attempts, decide.SECOND // 4, 4 * decide.SECOND)

    decide.back_off = sooner
    circuit.back_off = sooner  # type: ignore[attr-defined]
    matching.AGAIN = decide.SECOND


# ── broken senders: what a campaign must notice ───────────────────────────────────────────────────────────────────
def blind() -> None:
    """What was lost is sent again without a look."""

    async def send_again(turn: Turn, last: Last | None) -> Outcome:
        now = turn.clock()
        return await finish(turn.line, turn.lane, turn.entry, EntryState.READY, now, due=now, keep_claims=True)

    settling.look_for = send_again


class Answered:
    """A client that has its answer already."""

    def __init__(self, response: Response) -> None:
        self._response = response

    async def send(self, request: Request) -> Response:
        """The answer it has."""
        return self._response


def hasty() -> None:
    """Requests leave before their step is in the ledger."""
    usual = writing.step

    async def send_first(turn: Turn, action: Action, interaction: Interaction, request: Request, *more: Any) -> Outcome:
        response = await turn.chart.client.send(request)
        chart = copy.copy(turn.chart)
        object.__setattr__(chart, "client", Answered(response))
        return await usual(replace(turn, chart=chart), action, interaction, request, *more)

    writing.step = send_first  # type: ignore[assignment]


def disorderly() -> None:
    """What others of its thread refer to is sent after them."""
    usual = pipeline.carry

    async def backwards(line: Line, chart: Chart, lane: LaneWork, clock: Callable[[], int]) -> None:
        await usual(line, chart, replace(lane, entries=lane.entries[::-1]), clock)

    pipeline.carry = backwards


def grabbing() -> None:
    """Lanes are taken whoever holds them, and nobody is asked whether they still do."""
    usual = lanes.due_query

    def whoever(now: int, *more: Any) -> Select[Any]:
        return usual(now + 3_600_000_000, *more)

    lanes.due_query = whoever  # type: ignore[assignment]


def deaf() -> None:
    """Nobody is asked whether a practice is suspended."""
    leases.suspended = lambda connection: frozenset()


BROKEN = {"blind": blind, "hasty": hasty, "disorderly": disorderly, "grabbing": grabbing, "deaf": deaf}


if __name__ == "__main__":
    main()
