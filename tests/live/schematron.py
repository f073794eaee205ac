"""ISO Schematron over lxml, as far as HL7's C-CDA R2.1 rules use it: abstract rules, `let`, and `document()`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lxml import etree

_SCH = {"sch": "http://purl.oclc.org/dsdl/schematron"}
_VOCABULARY = "document('voc.xml')/voc:systems/"


@dataclass(frozen=True)
class Rule:
    """Where it holds, its variables, and its (test, message) pairs."""

    context: str
    variables: dict[str, str]
    asserts: tuple[tuple[str, str], ...]


class Schematron:
    """The rules of one phase. `checked` counts what was asked of documents so far."""

    def __init__(self, rules: Path, vocabulary: Path, phase: str) -> None:
        root = etree.parse(rules).getroot()
        self._namespaces: Any = {node.get("prefix"): node.get("uri") for node in root.iterfind("sch:ns", _SCH)}
        named = {rule.get("id"): rule for rule in root.iterfind(".//sch:rule", _SCH)}
        active = {node.get("pattern") for node in root.iterfind(f"sch:phase[@id='{phase}']/sch:active", _SCH)}
        self._patterns = [
            [_rule(rule, named) for rule in pattern.iterfind("sch:rule", _SCH) if rule.get("abstract") != "true"]
            for pattern in root.iterfind("sch:pattern", _SCH)
            if pattern.get("id") in active
        ]
        self._words: Any = etree.parse(vocabulary, etree.XMLParser(huge_tree=True)).getroot()
        self.checked = 0

    def broken(self, body: bytes) -> list[str]:
        """The message of each assertion that does not hold; of a pattern, the first rule that fits a node judges it."""
        document = etree.fromstring(body).getroottree()
        return [message for pattern in self._patterns for message in self._judge(document, pattern)]

    def _judge(self, document: Any, pattern: list[Rule]) -> Iterator[str]:
        judged: set[Any] = set()
        for rule in pattern:
            where = "|".join(f"//{path.strip()}" for path in rule.context.split("|"))
            for node in document.xpath(where, namespaces=self._namespaces):
                if node in judged:
                    continue
                judged.add(node)
                values = {name: self._value(node, path) for name, path in rule.variables.items()}
                for test, message in rule.asserts:
                    self.checked += 1
                    asked = test.replace(_VOCABULARY, "$vocabulary/")
                    if not node.xpath(
                        f"boolean({asked})", namespaces=self._namespaces, vocabulary=self._words, **values
                    ):
                        yield message

    def _value(self, node: Any, path: str) -> str:
        return str(node.xpath(f"string({path})", namespaces=self._namespaces))


def _rule(rule: Any, named: dict[Any, Any]) -> Rule:
    variables = {node.get("name"): node.get("value") for node in rule.iterfind("sch:let", _SCH)}
    return Rule(rule.get("context"), variables, tuple(_asserts(rule, named)))


def _asserts(rule: Any, named: dict[Any, Any]) -> Iterator[tuple[str, str]]:
    for node in rule:
        if node.tag == f"{{{_SCH['sch']}}}assert":
            yield node.get("test"), " ".join("".join(node.itertext()).split())
        elif node.tag == f"{{{_SCH['sch']}}}extends":
            yield from _asserts(named[node.get("rule")], named)
