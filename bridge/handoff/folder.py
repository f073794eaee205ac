"""A folder an interface engine reads: one file a document, named by its control id; an acknowledgement beside it."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from bridge.handoff import er7, journal
from bridge.handoff.over import Fate, Given, HandOver, Look

ANSWERS = (".ack", ".ok")
"""How the name of a file that answers another ends: DB-….xml.ack, DB-….ack."""


@dataclass(frozen=True, slots=True)
class Form:
    """What a hand-over is as a file."""

    suffix: Callable[[HandOver], str]
    content: Callable[[HandOver], bytes]


class Folder:
    """Files made by `form`; a share that hangs longer than `takes` seconds is a lost answer."""

    def __init__(self, folder: Path, form: Form, takes: float, answers: Path | None = None) -> None:
        self.folder = folder
        self.answers = answers or folder
        self.form = form
        self.turns = asyncio.Semaphore(4)
        self.takes = takes

    async def give(self, over: HandOver) -> Given:
        """The file stands in the folder, whole."""
        try:
            async with asyncio.timeout(self.takes):
                content = await asyncio.to_thread(self.form.content, over)
                await asyncio.to_thread(journal.put, self.folder, self._name(over), content, over.said)
        except FileExistsError:
            return Given(Fate.REFUSED, "file-exists")
        except TimeoutError:
            return Given(Fate.LOST, "folder-slow")
        except OSError as error:
            stage = await asyncio.to_thread(self._stage, over)
            fate = Fate.LOST if stage is journal.Stage.GIVEN else Fate.LATER
            return Given(fate, f"folder-{(os.strerror(error.errno) if error.errno else 'error').split()[0].lower()}")
        return Given(Fate.GIVEN, "file")

    async def look(self, over: HandOver) -> Look:
        """The journal beside the files knows, whoever took them away."""
        if (await self.heard(frozenset({over.control}))).get(over.control) is Fate.CONFIRMED:
            return Look.CONFIRMED
        try:
            stage = await asyncio.to_thread(self._stage, over)
        except OSError:
            return Look.PERSON
        return Look.GIVEN if stage is journal.Stage.GIVEN else Look.ABSENT

    async def said(self, over: HandOver) -> str:
        """What the journal remembers of it."""
        try:
            return await asyncio.to_thread(journal.said, self.folder, self._name(over))
        except OSError:
            return ""

    async def heard(self, controls: frozenset[str]) -> Mapping[str, Fate]:
        """What the files beside those of these control ids say of them."""
        return await asyncio.to_thread(self._heard, controls)

    async def reach(self) -> str:
        """ "" where files can be put there."""
        for folder in dict.fromkeys((self.folder, self.answers)):
            if not folder.is_dir():
                return "the folder is not there"
        return "" if os.access(self.folder, os.W_OK | os.X_OK) else "the folder cannot be written"

    def _name(self, over: HandOver) -> str:
        return f"{over.control}.{self.form.suffix(over)}"

    def _stage(self, over: HandOver) -> journal.Stage:
        return journal.stage(self.folder, self._name(over))

    def _heard(self, controls: frozenset[str]) -> dict[str, Fate]:
        try:
            names = [name for name in os.listdir(self.answers) if name.endswith(ANSWERS)]
        except OSError:
            return {}
        stems = {name: name.split(".", 1)[0] for name in names}
        said = {stem: says(self.answers / name, stem) for name, stem in stems.items() if stem in controls}
        return {stem: fate for stem, fate in said.items() if fate is not None}


def says(path: Path, control: str) -> Fate | None:
    """What an answer says: an HL7 acknowledgement by its code; any other, also an empty one, that it was taken."""
    try:
        read = er7.acknowledgement(path.read_bytes()[:65_536])
    except OSError:
        return None
    if read is None:
        return Fate.CONFIRMED
    if read.control != control:
        return None
    return Fate.CONFIRMED if read.code in ("AA", "CA") else Fate.REFUSED
