"""How a connection stands, in the words of `bridge status`."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any


def in_words(one: dict[str, Any]) -> Iterator[str]:
    """What is to be said of a connection: nothing where nothing waits, nothing went and nothing is the matter."""
    if one["state"] != "up":
        since = f" since {moment(one['since'])}" if one["since"] else ""
        again = f"tried again at {moment(one['until'])}" if one["until"] else "being tried again"
        yield f"is down{since}: {one['why']}; {again}; {one['next_step']}"
    elif one["why"]:
        yield f"waits until {moment(one['until'])}: {one['why']}"
    if one["waiting"] or one["rate"]:
        age = f", the oldest for {one['oldest_seconds']} s" if one["oldest_seconds"] is not None else ""
        unknown = f", {one['unknown']} perhaps sent" if one["unknown"] else ""
        budgets = [
            f"{one[span]['left']} of {one[span]['most']} left this {word}"
            for span, word in (("minute", "minute"), ("day", "day"), ("documents", "day for documents"))
            if one[span] is not None
        ]
        more = "; ".join([f"{one['rate']:.0f} requests a minute", *budgets, f"{one['at_once']} at a time"])
        yield f"has {one['waiting']} waiting{age}{unknown}; {more}"
    if one["quiet"]:
        yield f"keeps quiet hours: {', '.join(one['quiet'])}"
    if one["full"]:
        yield f"takes no new entries, for as many wait as may: {', '.join(one['full'])}"


def handed_in_words(one: dict[str, Any]) -> Iterator[str]:
    """What is to be said of a hand-off: nothing where it works."""
    if one["state"] != "up":
        since = f" since {moment(one['since'])}" if one["since"] else ""
        again = f"tried again at {moment(one['until'])}" if one["until"] else "being tried again"
        yield f"is down{since}: {one['why']}; {again}; {one['next_step']}"
        age = f", the oldest for {one['oldest_seconds']} s" if one["oldest_seconds"] is not None else ""
        yield f"has {one['waiting']} waiting for this practice{age}"


def moment(at: int) -> str:
    """An instant in UTC, to the second."""
    return datetime.fromtimestamp(at // 1_000_000, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
