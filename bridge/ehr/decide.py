"""What follows from an answer: the entry's next state, when, what is waited for, what was learned.

Pure: the clock comes in as `now`, and what looks random is a hash of the entry.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import StrEnum

from bridge.ehr.route import capability_key
from bridge.ehr.rows import TABLE, Learn
from bridge.model import WITHDRAWALS, Action, Answer, AnswerClass, EntryState, Hold, HoldReason, Interaction, Owner

SECOND = 1_000_000
FIRST_WAIT = 30 * SECOND
LONGEST_WAIT = 3600 * SECOND
MOST_CONFLICTS = 3
"""Conflicts in a row after which a person looks: somebody writes there all the time."""


MOST_UNUSABLE = 3
"""Tries that bring nothing that can be used after which a person looks: what is too large stays so."""


class Follow(StrEnum):
    """What the sender does beside writing down the new state."""

    NOTHING = ""
    LOOK = "look"  # when due: is it there?
    READ = "read"  # read what stands again, then send
    CIRCUIT = "circuit"  # the connection's circuit opens and its contact is told
    LANE = "lane"  # the lane stops and its link is checked again
    PLAN = "plan"  # what was learned may open another route


@dataclass(frozen=True, slots=True)
class Tried:
    """What is known of the step that was answered.

    `attempts` and `conflicts` count this answer too, unless its request never left. `looking` says that the entry is
    unknown and this request only looked. `link_key` is what a hold for this person's link waits for (`people`).
    """

    entry: str
    practice: str
    type: str
    action: Action
    interaction: Interaction
    visibility_delay: int  # microseconds
    link_key: str = ""
    attempts: int = 1
    conflicts: int = 1
    looking: bool = False


@dataclass(frozen=True, slots=True)
class Next:
    """What becomes of the entry. `due` is when it may move again, None where a person must; `learn` is a (type,
    interaction) the server refused as such. `look_first` says that nothing may be created before a look, however the
    entry comes back to be sent.
    """

    state: EntryState
    due: int | None = None
    hold: Hold | None = None
    learn: tuple[str, str] | None = None
    follow: Follow = Follow.NOTHING
    look_first: bool = False


_MAY_STAND = (AnswerClass.ACCEPTED, AnswerClass.UNKNOWN, AnswerClass.DUPLICATE, AnswerClass.UNCLEAR)
"""After these the ledger cannot prove that nothing was written."""


def content_key(entry: str) -> str:
    """What a hold for refused content waits for: a mapping, a setting or the record itself to change."""
    return f"content:{entry}"


def decision_key(entry: str) -> str:
    """What a hold waits for that only a person's decision on this entry ends."""
    return f"decision:{entry}"


def decide(answer: Answer, tried: Tried, now: int) -> Next:
    """What follows from the answer to one step, or to what had to be read or searched for it."""
    following = _DECISIONS[answer.kind](answer, tried, now)
    wrote = tried.interaction in (Interaction.CREATE, Interaction.UPDATE)
    look_first = tried.looking or (wrote and answer.kind in _MAY_STAND)
    return replace(following, look_first=True) if look_first else following


def back_off(entry: str, attempts: int, first: int = FIRST_WAIT, longest: int = LONGEST_WAIT) -> int:
    """Microseconds to wait after so many attempts: doubling, capped, and up to a fifth longer by a hash of the entry,
    so that what failed together does not come back together.
    """
    wait = min(first << min(max(attempts, 1) - 1, 32), longest)
    return wait + wait * _spread(entry, attempts) // 5_000


def _spread(entry: str, attempts: int) -> int:
    """0 to 999, the same for the same entry and attempt."""
    return int.from_bytes(hashlib.sha256(f"{entry}|{attempts}".encode()).digest()[:4], "big") % 1_000


def _done(answer: Answer, tried: Tried, now: int) -> Next:
    if tried.interaction in (Interaction.READ, Interaction.SEARCH):
        return Next(EntryState.UNKNOWN if tried.looking else EntryState.READY, now)
    return Next(EntryState.RETRACTED if tried.action in WITHDRAWALS else EntryState.DELIVERED)


def _look(answer: Answer, tried: Tried, now: int) -> Next:
    return Next(EntryState.UNKNOWN, now + max(tried.visibility_delay, answer.after or 0), follow=Follow.LOOK)


def _later(answer: Answer, tried: Tried, now: int) -> Next:
    waits = back_off(tried.entry, tried.attempts)
    if answer.after is not None:
        asked = answer.after + answer.after * _spread(tried.entry, tried.attempts) // 10_000
        waits = max(asked, back_off(tried.entry, tried.attempts, SECOND, 60 * SECOND))
    return Next(EntryState.UNKNOWN if tried.looking else EntryState.READY, now + waits)


def _unsupported(answer: Answer, tried: Tried, now: int) -> Next:
    if tried.looking:
        return _person(answer, tried, "the EHR cannot be searched for it")
    taught = next((row.learn for row in TABLE if row.code == answer.code), Learn.NOTHING)
    learn = (tried.type, tried.interaction.value) if taught is Learn.INTERACTION else None
    hold = Hold(
        HoldReason.CAPABILITY,
        capability_key(tried.practice, tried.type),
        Owner.PRACTICE,
        f"this EHR does not take {tried.type} this way: {_words(answer)}",
        "ask the practice's EHR team what it takes, or choose another format or route in `bridge.yaml`",
    )
    return Next(EntryState.HELD, None, hold, learn, Follow.PLAN)


def _content(answer: Answer, tried: Tried, now: int) -> Next:
    hold = Hold(
        HoldReason.CONTENT,
        content_key(tried.entry),
        Owner.ENGINEER,
        f"the EHR did not take what was written: {_words(answer)}",
        "see the element it names; correct the mapping, the site's settings or the vendor's facts, then retry",
    )
    return Next(EntryState.HELD, None, hold)


def _policy(answer: Answer, tried: Tried, now: int) -> Next:
    if tried.looking:
        return _person(answer, tried, "the practice's EHR does not permit looking for it")
    hold = Hold(
        HoldReason.DECISION,
        decision_key(tried.entry),
        Owner.PRACTICE,
        f"the practice's EHR does not permit this for this patient: {_words(answer)}",
        "ask the practice; it is not sent by any other way",
    )
    return Next(EntryState.REFUSED, None, hold)


def _patient(answer: Answer, tried: Tried, now: int) -> Next:
    hold = Hold(
        HoldReason.LINK,
        tried.link_key,
        Owner.PRACTICE,
        f"the patient in the practice's EHR is gone, merged or closed: {_words(answer)}",
        "ask the practice which chart is the right one and import its roster again",
    )
    return Next(EntryState.HELD, None, hold, None, Follow.LANE)


def _unclear(answer: Answer, tried: Tried, now: int) -> Next:
    return _person(answer, tried, "the EHR's answer cannot be understood", Owner.ENGINEER)


def _unusable(answer: Answer, tried: Tried, now: int) -> Next:
    if answer.left and tried.attempts < MOST_UNUSABLE:
        return _later(answer, tried, now)
    hold = Hold(
        HoldReason.DECISION,
        decision_key(tried.entry),
        Owner.ENGINEER,
        f"{_USELESS.get(answer.code, 'what the EHR answers cannot be used')} [{answer.code}]",
        "ask the practice's EHR team why, then `bridge held retry`; or look into the chart and answer this hold",
    )
    return Next(EntryState.HELD, None, hold)


_USELESS = {
    "unsendable": "no request can be made of it: an id or an address the EHR gave is in no form it can have",
    "unread-read": "what the EHR answers is larger than 10 MiB, or packed otherwise than was asked for",
    "not-what-was-asked": "the EHR says done, and its answer does not hold what was asked for",
}


def _conflict(answer: Answer, tried: Tried, now: int) -> Next:
    if answer.code == "gone":
        return _person(answer, tried, "what stood in the chart is gone")
    if tried.conflicts >= MOST_CONFLICTS:
        return _person(answer, tried, "what stands in the chart keeps changing")
    return Next(EntryState.UNKNOWN if tried.looking else EntryState.READY, now, follow=Follow.READ)


def _down(answer: Answer, tried: Tried, now: int) -> Next:
    state = EntryState.UNKNOWN if tried.looking else EntryState.READY
    return Next(state, now + back_off(tried.entry, tried.attempts), follow=Follow.CIRCUIT)


def _person(answer: Answer, tried: Tried, rule: str, owner: Owner = Owner.PRACTICE) -> Next:
    step = "look into the chart: is it there, and as it should be? then answer this hold"
    hold = Hold(HoldReason.DECISION, decision_key(tried.entry), owner, f"{rule}: {_words(answer)}", step)
    return Next(EntryState.HELD, None, hold)


def _words(answer: Answer) -> str:
    """Row, status and codes of an answer; never its text."""
    status = f"status {answer.status}" if answer.status else "no answer"
    return ", ".join(filter(None, (status, answer.code, *answer.issues)))


_DECISIONS: dict[AnswerClass, Callable[[Answer, Tried, int], Next]] = {
    AnswerClass.DONE: _done,
    AnswerClass.ACCEPTED: _look,
    AnswerClass.RETRY_LATER: _later,
    AnswerClass.UNKNOWN: _look,
    AnswerClass.UNSUPPORTED: _unsupported,
    AnswerClass.CONTENT: _content,
    AnswerClass.POLICY: _policy,
    AnswerClass.DUPLICATE: _look,
    AnswerClass.PATIENT: _patient,
    AnswerClass.UNCLEAR: _unclear,
    AnswerClass.UNUSABLE: _unusable,
    AnswerClass.CONFLICT: _conflict,
    AnswerClass.CONNECTION_DOWN: _down,
}
