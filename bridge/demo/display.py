"""What is seen while it runs: a bar on a terminal, a line a month elsewhere; always on standard error."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn


class Display(Protocol):
    """What a run tells whoever watches."""

    def say(self, text: str) -> None:
        """A step of the run began or ended."""

    def moved(self, done: int, delivered: int, held: int) -> None:
        """So many records are translated, so many entries in charts, so many wait."""


class Quiet:
    """Nobody watches."""

    def say(self, text: str) -> None:
        """Nothing is shown."""

    def moved(self, done: int, delivered: int, held: int) -> None:
        """Nothing is shown."""


class Plain:
    """Steps as lines, for a log."""

    def __init__(self, console: Console) -> None:
        self._console = console

    def say(self, text: str) -> None:
        """One line."""
        self._console.print(text, highlight=False, soft_wrap=True)

    def moved(self, done: int, delivered: int, held: int) -> None:
        """The steps say enough."""


class Bar(Plain):
    """A bar below the steps."""

    def __init__(self, console: Console, progress: Progress, task: TaskID) -> None:
        super().__init__(console)
        self._progress = progress
        self._task = task

    def moved(self, done: int, delivered: int, held: int) -> None:
        """The bar stands there."""
        self._progress.update(self._task, completed=done, delivered=delivered, held=held)


@contextmanager
def watching(total: int, quiet: bool) -> Iterator[Display]:
    """The display for where standard error goes; `total` are the records to come."""
    console = Console(stderr=True)
    if quiet:
        yield Quiet()
    elif not console.is_terminal:
        yield Plain(console)
    else:
        columns = (
            SpinnerColumn(),
            BarColumn(),
            TextColumn("{task.completed:,.0f} of {task.total:,.0f} records"),
            TextColumn("[green]{task.fields[delivered]:,} in charts[/]  [yellow]{task.fields[held]:,} wait[/]"),
            TimeElapsedColumn(),
        )
        with Progress(*columns, console=console, transient=True) as progress:
            yield Bar(console, progress, progress.add_task("", total=total, delivered=0, held=0))
