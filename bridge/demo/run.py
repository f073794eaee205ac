"""The caseload goes through the line, month after month, as it would have come."""

from __future__ import annotations

import asyncio
import csv
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from itertools import groupby
from pathlib import Path

from bridge.demo.caseload import Caseload, Wave
from bridge.demo.display import Display
from bridge.demo.ehrs import Ehr
from bridge.intake.rows import Row
from bridge.jobs import rosters
from bridge.jobs.collect import accept_rows
from bridge.jobs.open import connected
from bridge.jobs.worker import Worker, system_clock
from bridge.model import Accepted, EntryState, Fate, RecordState
from bridge.moves.line import Line
from bridge.store import views

LOSES = 3
"""Answers that each EHR loses in the second month: looked for, and never sent twice."""
LOOK = 0.3
"""Seconds between two looks at how far it is."""
SETTLING = 20
"""Looks for what is still unknown after the last month, a second apart."""


async def run(line: Line, whole: Caseload, ehrs: Mapping[str, Ehr], display: Display) -> Counter[Fate]:
    """All waves went through; the fates of all records at the door."""
    fates: Counter[Fate] = Counter()
    async with connected(line):
        showing = asyncio.create_task(show(line, display))
        try:
            for number, wave in enumerate(whole.waves, 1):
                if number == 2:
                    for ehr in ehrs.values():
                        await asyncio.to_thread(ehr.lose_answers, LOSES)
                taken = await asyncio.to_thread(accept, line, wave)
                await Worker(line).run(until_idle=True)
                fates += taken
                display.say(
                    f"month {number} of {len(whole.waves)}: {told(taken)}; {await asyncio.to_thread(now, line)}"
                )
            await settle(line)
        finally:
            showing.cancel()
            with suppress(asyncio.CancelledError):
                await showing
    return fates


def accept(line: Line, wave: Wave, clock: Callable[[], int] = system_clock) -> Counter[Fate]:
    """The wave's lists are imported and its records taken, each agency's of one kind together, in the order sent."""
    imported(line, "links.csv", rosters.LINKS, wave.links, rosters.import_links, clock())
    imported(line, "consents.csv", (*rosters.CONSENTS, "narrative"), wave.consents, rosters.import_consents, clock())
    return Counter(accepted.fate for accepted in taken(line, wave, clock))


def taken(line: Line, wave: Wave, clock: Callable[[], int]) -> Iterator[Accepted]:
    """Every record's fate."""
    for (agency, kind), posted in groupby(wave.records, key=lambda item: (item.agency, item.kind)):
        rows = [Row(index, f"item {index}", item.record) for index, item in enumerate(posted, 1)]
        yield from accept_rows(line, line.project.agencies[agency], f"ma-soc/{kind}", rows, clock())


def imported(
    line: Line,
    name: str,
    columns: tuple[str, ...],
    rows: tuple[tuple[str, ...], ...],
    take: Callable[[Line, Path, str, int], rosters.Imported],
    now: int,
) -> None:
    """A list as a practice or an office hands it in: written as CSV into the project folder, and imported."""
    if not rows:
        return
    path = line.project.directory / name
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([columns, *rows])
    take(line, path, "demo", now)


async def settle(line: Line) -> None:
    """Nothing is unknown any more, or it stays so for a person."""
    for _ in range(SETTLING):
        await Worker(line).run(until_idle=True)
        if not await asyncio.to_thread(unsettled, line):
            return
        await asyncio.sleep(1.0)


def unsettled(line: Line) -> bool:
    """Whether the answer to something is lost and it was not found yet."""
    with line.ledger.read() as connection:
        counts = views.entry_counts(connection)
    return bool(counts[EntryState.SENDING] or counts[EntryState.UNKNOWN])


async def show(line: Line, display: Display) -> None:
    """The display follows the ledger until cancelled."""
    while True:
        display.moved(*await asyncio.to_thread(progress, line))
        await asyncio.sleep(LOOK)


def progress(line: Line) -> tuple[int, int, int]:
    """Records dealt with, entries in charts, entries and records that wait."""
    with line.ledger.read() as connection:
        records, entries = views.record_counts(connection), views.entry_counts(connection)
    done = records["accepted"] - records["waiting"]
    return done, entries[EntryState.DELIVERED], entries[EntryState.HELD] + records[RecordState.HELD]


def now(line: Line) -> str:
    """How far it is, in words."""
    _, delivered, held = progress(line)
    return f"{delivered:,} in charts, {held:,} wait"


def told(fates: Counter[Fate]) -> str:
    """The fates of a month's records, in words."""
    names = {Fate.NEW: "new", Fate.VERSION: "newer version", Fate.RESEND: "sent again", Fate.OLDER: "came late",
             Fate.UNFINISHED: "unfinished", Fate.VOID: "withdrawn", Fate.REJECTED: "not taken"}  # fmt: skip
    return ", ".join(f"{fates[fate]:,} {name}" for fate, name in names.items() if fates[fate])
