"""What documents cost: composing and rendering one of each kind, PDFs per second, and memory.

    python -m bench.documents [--seconds 2] [--pdfs 3000] [--out FILE]

Microseconds are CPU time, the median of as many runs as fit; PDFs per second are on the clock. Every PDF is another
document (its reference differs), so that nothing typst remembers of one helps the next more than in a night's work.
"""

from __future__ import annotations

import argparse
import json
import platform
import resource
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from itertools import count
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from bridge.documents.compose import compose
from bridge.documents.content import Document
from bridge.documents.formats import PDF, render
from tests.unit.documents.making import DOCUMENTS, ENCOUNTER, frame, note, section

KINDS = ("contact", "plan", "screening", "referral", "roll-up", "long")
MIMES = ("text/plain", "application/xhtml+xml", "text/rtf", "text/xml", PDF)
STATUS = Path("/proc/self/status")


def main() -> int:
    """Measure and print; with --out also as JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=2.0, help="for each cell")
    parser.add_argument("--pdfs", type=int, default=3000, help="for throughput and memory")
    parser.add_argument("--out", type=Path)
    asked = parser.parse_args()
    before = memory_mib()
    first = once(lambda: render(DOCUMENTS["contact"]("en"), PDF))
    result: dict[str, Any] = {
        "python": platform.python_version(),
        "compose_us": micros(composed, asked.seconds),
        "first_pdf_ms": round(first * 1000, 1),
        "memory_mib": {"before the first PDF": before, "after it": memory_mib()},
        "cells": {},
    }
    print(f"compose a contact: {result['compose_us']} µs; the first PDF of a process: {result['first_pdf_ms']} ms\n")
    print(f"{'µs (bytes)':12}" + "".join(f"{mime.rpartition('/')[2]:>20}" for mime in MIMES))
    for name in KINDS:
        row = {mime: cell(name, mime, asked.seconds) for mime in MIMES}
        result["cells"][name] = row
        print(f"{name:12}" + "".join(f"{one['us']:>11} ({one['bytes']:>6})" for one in row.values()))
    result["pdfs_per_second"] = {"one process": rate(asked.pdfs)}
    result["memory_mib"][f"after {asked.pdfs} PDFs more"] = memory_mib()
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as workers:  # typst's threads do not outlive a fork
        list(workers.map(rate, [20] * 2))  # started and warm
        started = time.perf_counter()
        list(workers.map(rate, [asked.pdfs // 2] * 2))
        result["pdfs_per_second"]["two processes"] = round(asked.pdfs / (time.perf_counter() - started))
    print(f"\nPDFs per second: {result['pdfs_per_second']}\nmemory, MiB: {result['memory_mib']}")
    if asked.out:
        asked.out.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    return 0


def composed() -> Document:
    """A contact from its parts."""
    said = section("What happened", "Mom said the nights are better.\nShe cried.", "Next visit on Friday.")
    return compose([note(section("The contact", entry=("Encounter/e",)), said), ENCOUNTER], frame())


def others(document: Document) -> Iterator[Document]:
    """The same document for one chart after another."""
    return (replace(document, reference=f"DB-{number:012}") for number in count())


def cell(name: str, mime: str, seconds: float) -> dict[str, int]:
    """Median microseconds of rendering this document, and its size."""
    made = others(DOCUMENTS[name]("es"))
    return {
        "us": micros(lambda: render(next(made), mime), seconds),
        "bytes": len(render(DOCUMENTS[name]("es"), mime)),
    }


def rate(pdfs: int) -> int:
    """PDFs of contacts a second, in this process."""
    made = others(DOCUMENTS["contact"]("en"))
    started = time.perf_counter()
    for _ in range(pdfs):
        render(next(made), PDF)
    return round(pdfs / (time.perf_counter() - started))


def micros(work: Callable[[], Any], seconds: float) -> int:
    """The median of one run, as many as fit."""
    work()
    taken: list[float] = []
    end = time.perf_counter() + seconds
    while time.perf_counter() < end:
        taken.append(once(work))
    return round(statistics.median(taken) * 1_000_000)


def once(work: Callable[[], Any]) -> float:
    """CPU seconds of one run, all threads together: others may be at work on this machine."""
    started = time.process_time()
    work()
    return time.process_time() - started


def memory_mib() -> int:
    """Resident memory now; where the system does not say, the most there ever was."""
    if STATUS.is_file():
        line = next(line for line in STATUS.read_text(encoding="ascii").splitlines() if line.startswith("VmRSS"))
        return int(line.split()[1]) // 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


if __name__ == "__main__":
    sys.exit(main())
