"""A folder an interface engine reads: one file a document, named by its control id; an acknowledgement beside it."""

from __future__ import annotations

import asyncio
import errno
import os
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from bridge.handoff import er7, journal
from bridge.handoff.over import Fate, Given, HandOver, Look

LEAST = 2**20
"""Bytes that must be free: less than any document with pages."""

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
            fate = Fate.LATER if await self._not_given(over) else Fate.LOST
            return Given(fate, f"folder-{errno.errorcode.get(error.errno or 0, 'error').lower()}")
        return Given(Fate.GIVEN, "file")

    async def _not_given(self, over: HandOver) -> bool:
        """Whether the journal says that it was not given; it may be as unreadable as the folder."""
        try:
            async with asyncio.timeout(self.takes):
                return await asyncio.to_thread(self._stage, over) is not journal.Stage.GIVEN
        except OSError:
            return False

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
        try:
            async with asyncio.timeout(self.takes):
                return await asyncio.to_thread(self._reach)
        except TimeoutError:
            return "the folder does not answer in time"
        except OSError:
            return "the folder cannot be read"

    def _reach(self) -> str:
        for folder in dict.fromkeys((self.folder, self.answers)):
            if not folder.is_dir():
                return "the folder is not there"
        if not os.access(self.folder, os.W_OK | os.X_OK):
            return "the folder cannot be written"
        return "" if shutil.disk_usage(self.folder).free >= LEAST else "the folder is full"

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
