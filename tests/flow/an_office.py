"""A site's own plug-in, as an example of one (docs/handoff.md): it files documents with an office's own program."""

from __future__ import annotations

from bridge.handoff.over import HandOver
from bridge.handoff.plugin import NotSent

inbox: list[HandOver] = []
says: list[str] = []
"""What it says next; a site's own would ask its program."""


class Office:
    """Files one document, once, and can be asked whether it did."""

    def __call__(self, over: HandOver) -> str:
        """`accepted`, `refused` or `unknown`."""
        answer = says.pop(0) if says else "accepted"
        if answer == "raise":
            raise NotSent
        if answer == "accepted":
            inbox.append(over)
        return answer

    def look(self, over: HandOver) -> str:
        """`accepted`, `absent` or `unknown`."""
        return "accepted" if any(one.control == over.control for one in inbox) else "absent"


file_it = Office()
