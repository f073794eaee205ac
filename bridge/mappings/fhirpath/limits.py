"""How far one evaluation may go. Passing a bound holds that record only (FE04)."""

from __future__ import annotations

from dataclasses import dataclass

TEXT_OF_EXPRESSION = 10_000
"""Characters of one expression."""
DEPTH_OF_EXPRESSION = 48
"""How deep brackets, calls and signs may nest."""
HEIGHT_OF_EXPRESSION = 100
"""How many steps and operators may follow one upon the other in the tree of an expression."""
DEPTH_OF_LOOPS = 12
"""How deep where(), select(), for and their like may nest (Python itself takes 20 nested blocks)."""
NODES_OF_TEMPLATE = 20_000
"""Objects, lists and values of one template."""
DEPTH_OF_TEMPLATE = 32
"""How deep a template may nest."""
LENGTH_OF_TEXT = 1_000_000
"""Characters of one string made by an expression."""
DEPTH_OF_DATA = 100
"""How deep a record may nest where an expression walks all of it."""


@dataclass(frozen=True, slots=True)
class Limits:
    """The bounds of one evaluation.

    `work` counts items taken up by loops and collection functions and written to the result: it bounds time, size of
    collections and size of output at once. `rounds` bounds how often repeat() may look for new items.
    """

    work: int = 200_000
    rounds: int = 200


DEFAULT_LIMITS = Limits()
