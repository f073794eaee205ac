"""A site's own way: a callable that it names in bridge.yaml, for what only its EHR's own interface takes.

The callable is given one `HandOver` and says `accepted`, `refused` or `unknown`; where it raises `NotSent`, nothing
left. An attribute `look` of it, where there is one, is given the same and says `accepted`, `absent` or `unknown`. Both
run in a thread of their own, one at a time for a practice, within the connection's `timeout_seconds`.
"""

from __future__ import annotations

import asyncio
import importlib
from collections.abc import Callable, Mapping

from bridge.errors import ConfigError, Problem
from bridge.handoff.over import Fate, Given, HandOver, Look

Call = Callable[[HandOver], str]
ANSWERS = {"accepted": Fate.GIVEN, "refused": Fate.REFUSED, "unknown": Fate.LOST}
LOOKS = {"accepted": Look.GIVEN, "absent": Look.ABSENT}


class NotSent(Exception):
    """Raised by a plug-in: what it was given provably did not leave; it is given again later."""


class Plugin:
    """One callable. `confirms`: its `accepted` says that the document is in the chart, not only on its way."""

    def __init__(self, call: Call, seconds: float, confirms: bool) -> None:
        self.call = call
        self.takes = seconds
        self.confirms = confirms
        self.turns = asyncio.Semaphore(1)

    async def give(self, over: HandOver) -> Given:
        """What the callable says; whatever else it does is an answer lost."""
        try:
            async with asyncio.timeout(self.takes):
                said = await asyncio.to_thread(self.call, over)
        except NotSent:
            return Given(Fate.LATER, "not-sent")
        except Exception:  # noqa: BLE001 - a site's own code: its error's words may quote what it was given
            return Given(Fate.LOST, "plugin-failed")
        fate = ANSWERS.get(said, Fate.LOST) if isinstance(said, str) else Fate.LOST
        if fate is Fate.GIVEN and self.confirms:
            fate = Fate.CONFIRMED
        return Given(fate, "plugin")

    async def look(self, over: HandOver) -> Look:
        """What the callable's `look` says, or a person."""
        look = getattr(self.call, "look", None)
        if look is None:
            return Look.PERSON
        try:
            async with asyncio.timeout(self.takes):
                said = await asyncio.to_thread(look, over)
        except Exception:  # noqa: BLE001 - as above
            return Look.PERSON
        found = LOOKS.get(said, Look.PERSON)
        return Look.CONFIRMED if found is Look.GIVEN and self.confirms else found

    async def said(self, over: HandOver) -> str:
        """ "" : a plug-in is not asked what it was given."""
        return ""

    async def heard(self, controls: frozenset[str]) -> Mapping[str, Fate]:
        """Nothing: a plug-in says what it says when it is asked."""
        return {}

    async def reach(self) -> str:
        """ "" : it was found when the project was opened."""
        return ""


def load(name: str) -> Call:
    """The callable named `module:callable`. Raises ConfigError where there is none."""
    module, _, attribute = name.partition(":")
    step = "name it as module:callable, of a package that is installed beside the bridge"
    try:
        found = getattr(importlib.import_module(module), attribute, None)
    except Exception as error:  # noqa: BLE001 - importing a site's own code
        rule = f"the plug-in's module cannot be imported ({type(error).__name__})"
        raise ConfigError(Problem("plugin-missing", rule, "bridge.yaml", "handoff.plugin", step)) from None
    if not callable(found):
        rule = "the plug-in's module has no such callable"
        raise ConfigError(Problem("plugin-missing", rule, "bridge.yaml", "handoff.plugin", step))
    call: Call = found
    return call
