"""What setting PDFs keeps waiting: how late a task of the same event loop comes, beside the loop and on it.

    python -m bench.pdf_loop [--pdfs 200] [--out FILE]

A task asks to be woken every millisecond while so many PDFs are made one after another; told is how late it was woken.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

from bridge.documents.compose import compose
from bridge.documents.content import Document
from bridge.documents.formats import PDF, render
from tests.unit.documents.making import ENCOUNTER, frame, note, section

EVERY = 0.001


def main() -> int:
    """Measure and print; with --out also as JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pdfs", type=int, default=200)
    parser.add_argument("--out", type=Path)
    asked = parser.parse_args()
    render(document(0), PDF)  # the first of a process loads the fonts
    result = {name: asyncio.run(late(asked.pdfs, beside=beside)) for name, beside in (("on", False), ("beside", True))}
    for name, row in result.items():
        print(f"{name} the loop: {row}")
    if asked.out is not None:
        asked.out.write_text(json.dumps({"pdfs": asked.pdfs, **result}, indent=1) + "\n", encoding="utf-8")
    return 0


def document(number: int) -> Document:
    """A contact's document, another each time."""
    made = compose([note(section("What happened", f"Words {number}.")), ENCOUNTER], frame())
    return replace(made, reference=f"DB-{number:012d}")


async def late(pdfs: int, *, beside: bool) -> dict[str, Any]:
    """Milliseconds by which a task was woken too late: median, 99th percentile, most; and PDFs per second."""
    delays: list[float] = []
    done = asyncio.Event()

    async def watch() -> None:
        while not done.is_set():
            due = time.perf_counter() + EVERY
            await asyncio.sleep(EVERY)
            delays.append((time.perf_counter() - due) * 1000)

    watching, began = asyncio.create_task(watch()), time.perf_counter()
    for number in range(1, pdfs + 1):
        made = document(number)
        _ = await asyncio.to_thread(render, made, PDF) if beside else render(made, PDF)
        await asyncio.sleep(0)
    took = time.perf_counter() - began
    done.set()
    await watching
    delays.sort()
    return {
        "median_ms": round(delays[len(delays) // 2], 2),
        "p99_ms": round(delays[int(len(delays) * 0.99)], 2),
        "most_ms": round(delays[-1], 2),
        "pdfs_per_second": round(pdfs / took, 1),
    }


if __name__ == "__main__":
    raise SystemExit(main())
