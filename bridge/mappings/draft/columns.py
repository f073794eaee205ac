"""What each field of a source is taken for, why, and whether it stays at the agency until a person decides.

What says who somebody is, where they are found, or anything in words, stays: that is the default, and so is every
field whose name touches on what families are hurt by. Codes are told from words by the field's name as well as by
repetition, because first names repeat too.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from enum import StrEnum

from bridge.mappings.draft import names
from bridge.mappings.draft.formats import OTHER_DATES
from bridge.mappings.draft.profile import Node, leaves
from bridge.mappings.schema import Field


class Sort(StrEnum):
    """What a field is taken for."""

    ID = "id"
    PERSON = "person"  # the id of somebody
    MOMENT = "moment"
    DATE = "other date"  # a day that is not written as a moment
    TIME = "time of day"
    CODE = "code"
    FLAG = "flag"
    NUMBER = "number"
    LANGUAGE = "language"
    IDENTIFYING = "identifying"
    WORDS = "words"
    MIXED = "mixed"
    MAP = "map"
    EMPTY = "empty"


STAYING = frozenset((Sort.IDENTIFYING, Sort.WORDS, Sort.MIXED, Sort.MAP))
AGENCY_ONLY, NEVER = "agency_only", "never"
_LONG_NUMBER = 7
_MOST_NUMBERED = 20
_WORDS_OF_A_NAME = 5


@dataclass(frozen=True, slots=True)
class Column:
    """One field and the judgement on it. `stays` is "" where it may be read by a mapping; `label` a class suggested.

    `values` are the codes that may be shown, the most frequent first; `rare` counts those that may not.
    """

    path: Field
    node: Node
    listed: bool
    sort: Sort
    why: str
    stays: str = ""
    label: str = ""
    values: tuple[str, ...] = ()
    rare: int = 0

    @property
    def dotted(self) -> str:
        """The path as kind and mapping files write it."""
        return ".".join(self.path)

    @property
    def words(self) -> frozenset[str]:
        """The words of its last name."""
        return frozenset(names.words(self.path[-1]))

    @property
    def usable(self) -> bool:
        """Whether a declaration or expression can name it: a dot or a quote in a column's name cannot be written."""
        return all(map(_can_be_written, self.path))

    @property
    def pattern(self) -> str:
        """How `never` names it: by its path, or, below a name that cannot be written, by its own name; else ""."""
        return self.dotted if self.usable else self.path[-1] if _can_be_written(self.path[-1]) else ""

    @property
    def facts(self) -> str:
        """How full it is and how many different values it has."""
        return facts(self.node)


def columns(root: Node, coded: Collection[str] = ()) -> Iterator[Column]:
    """Every field that holds values; those named in `coded` are taken for codes on the word of who says so."""
    for node, listed in leaves(root):
        sort, why = (Sort.CODE, "named as a code") if ".".join(node.path) in coded else _sort(node)
        yield settled(node, listed, sort, why)


def settled(node: Node, listed: bool, sort: Sort, why: str) -> Column:
    """The column with what follows from its sort and its name: whether it stays, and under which label it might go."""
    found = {word for name in node.path for word in names.words(name)}
    never = next((names.NEVER[word] for word in sorted(found & names.NEVER.keys())), "")
    label = next((names.SENSITIVE[word] for word in sorted(found & names.SENSITIVE.keys())), "")
    if never:
        return Column(node.path, node, listed, sort, f"by its name {never}", NEVER, label)
    if label and sort not in (Sort.ID, Sort.PERSON):
        return Column(node.path, node, listed, sort, f"{why}; by its name a delicate matter", AGENCY_ONLY, label)
    born = sort in (Sort.MOMENT, Sort.DATE) and names.BIRTH & set(names.words(node.path[-1]))
    identifying = sort is Sort.IDENTIFYING or born or (sort is Sort.NUMBER and _says_who(node))
    if sort in STAYING or identifying:
        return Column(node.path, node, listed, sort, why, AGENCY_ONLY, "ordinary" if identifying else "narrative")
    return Column(node.path, node, listed, sort, why)


def _can_be_written(name: str) -> bool:
    return not set(".`\\{}\"'%,[]") & set(name)


def facts(node: Node) -> str:
    """How full a field is and how many different values it has, in words."""
    if not node.filled:
        return "never filled"
    more = "" if node.distinct_known else "more than "
    if node.is_list or node.types["object"]:
        return f"{percent(node)} % filled"
    distinct = "unique" if node.unique else f"{more}{node.distinct} different"
    return f"{percent(node)} % filled, {distinct}"


def percent(node: Node) -> int:
    """How full, in whole percent; 100 and 0 only where it is so exactly."""
    if node.filled == node.parents:
        return 100
    return min(99, max(1, round(100 * node.share))) if node.filled else 0


def _sort(node: Node) -> tuple[Sort, str]:
    if not node.filled:
        return Sort.EMPTY, "never filled"
    if node.types.keys() == {"object"}:
        return Sort.MAP, "an object whose keys look like values"
    types = set(node.types) - {"integer"} if node.types["number"] else set(node.types)
    if len(types) > 1:
        if types == {"string", "integer"} and "id" in node.formats and names.ID & set(names.words(node.path[-1])):
            return _text(node)
        return Sort.MIXED, f"holds {' and '.join(sorted(types))}"
    if types == {"boolean"}:
        return Sort.FLAG, "true or false"
    if types == {"string"}:
        return _text(node)
    return _number(node, f"{'whole numbers' if types == {'integer'} else 'numbers'}")


def _number(node: Node, why: str) -> tuple[Sort, str]:
    found = set(names.words(node.path[-1]))
    person = found & (set(names.SUBJECT) | names.CAREGIVER)
    longest = max((len(f"{abs(int(number))}") for number in (node.low, node.high) if number is not None), default=0)
    if _says_who(node):
        return Sort.IDENTIFYING, "its name says who somebody is or where they are"
    if person:
        return Sort.PERSON, f"{why}, named after a person"
    if found & names.ID:
        return Sort.ID, f"{why}, named as an id"
    if longest >= _LONG_NUMBER or node.longest >= _LONG_NUMBER:
        return Sort.IDENTIFYING, "long numbers: a phone, insurance or record number?"
    if (
        found & names.CODED
        and not node.types["number"]
        and not found & (names.SCORE | names.LASTING)
        and _repeats(node, _MOST_NUMBERED)
    ):
        return Sort.CODE, f"{why}, few, named as a code"
    return Sort.NUMBER, why


def _text(node: Node) -> tuple[Sort, str]:
    found, formats = set(names.words(node.path[-1])), node.formats.keys()
    person = found & (set(names.SUBJECT) | names.CAREGIVER)
    for name in ("email", "url"):
        if name in formats:
            return Sort.IDENTIFYING, f"{name} addresses"
    if "moment" in formats:
        return Sort.MOMENT, "days or times" + (", by its name of birth" if found & names.BIRTH else "")
    if other := [name for name in OTHER_DATES if name in formats]:
        return Sort.DATE, f"days written as {' or '.join(other)}"
    if found & names.LASTING and "decimal" in formats:
        return Sort.NUMBER, "numbers, as text"
    if _says_who(node):
        return Sort.IDENTIFYING, "its name says who somebody is or where they are"
    if "uuid" in formats:
        return (Sort.PERSON if person else Sort.ID), "UUIDs"
    if (person or found & names.STAFF) and not found & ((names.CODED - {"code"}) | names.FREE):
        if "id" in formats and "with digit" in formats:
            return (Sort.PERSON if person else Sort.ID), "ids, named after a person"
        if node.most_words <= _WORDS_OF_A_NAME:
            return Sort.IDENTIFYING, "named after a person, and its values may be names"
        return Sort.WORDS, "text"
    if "phone" in formats and "decimal" not in formats:
        return Sort.IDENTIFYING, "phone numbers"
    if "yes-no" in formats and node.counts is not None and _one_spelling(node):
        return Sort.FLAG, "yes or no"
    if "language" in formats and found & {"language", "lang", "idioma"}:
        return Sort.LANGUAGE, "language tags"
    if "id" in formats and found & names.ID and ("with digit" in formats or node.unique):
        return Sort.ID, "named as an id"
    if "decimal" in formats:
        return _number(node, "numbers, as text")
    if "time" in formats:
        return Sort.TIME, "times of day"
    return _coded(node, found)


def _coded(node: Node, found: set[str]) -> tuple[Sort, str]:
    """Codes or words: few values that come again are codes only where the name or the spelling says so too."""
    formats = node.formats.keys()
    coded = names.words(node.path[-1])[-1:] and names.words(node.path[-1])[-1] in names.CODED
    if "code" not in formats or "street" in formats or (found & names.FREE and not coded):
        return Sort.WORDS, "text" + ("" if "trimmed" in formats else ", some with blanks around it")
    if not _repeats(node, 60):
        return Sort.WORDS, "text whose values hardly come again"
    if found & names.CODED:
        return Sort.CODE, "few values that come again, named as a code"
    if "machine" in formats and node.counts is not None and any("_" in value for value in node.counts):
        return Sort.CODE, "few values that come again, spelled as codes"
    return Sort.WORDS, "few values that come again, but they may be names (--codes says that they are codes)"


def _repeats(node: Node, most: int) -> bool:
    return node.counts is not None and len(node.counts) <= most and node.filled >= 2 * len(node.counts)


def _one_spelling(node: Node) -> bool:
    seen = {value.lower() for value in node.counts or ()}
    return any(
        seen <= spelling for spelling in ({"yes", "no"}, {"y", "n"}, {"true", "false"}, {"t", "f"}, {"si", "sí", "no"})
    )


def _says_who(node: Node) -> bool:
    found = names.words(node.path[-1])
    if names.BIRTH & set(found):
        return True
    if found and found[-1] in names.CODED | names.ID and not names.NAMING & set(found):
        return bool({"ssn", "mrn", "medicaid", "medicare", "insurance", "policy", "license", "passport"} & set(found))
    return bool(names.IDENTIFYING & set(found)) and not {"duration", "minutes"} & set(found)
