"""Labels that say nothing: on fields that no part reads, or what another line says already."""

from __future__ import annotations

from bridge.mappings.classes import ORDINARY
from bridge.mappings.fpml import covers
from bridge.mappings.labels import Label
from bridge.mappings.lint.fields import part_reads
from bridge.mappings.lint.subject import Subject


def check_labels(subject: Subject) -> None:
    """The lines under `labels`, those of the files that a mapping extends among them."""
    reads = part_reads(subject)
    labels = subject.mapping.labels
    for position, label in enumerate(labels):
        if not any(covers(label.dotted, one) for one in reads):
            if subject.own(label.where):
                rule = "no part reads this field: the label says nothing"
                subject.say("label-unused", label.where, rule, label.dotted, "take the line out, or map the field")
            continue
        others = (*labels[:position], *(one for one in labels[position + 1 :] if not _same(one, label)))
        if any(_says_all(other, label) for other in others):
            rule = "another line says this already"
            subject.say("label-shadowed", label.where, rule, label.dotted, "take one of the two out")


def _same(one: Label, other: Label) -> bool:
    return (one.path, one.name, one.about) == (other.path, other.name, other.about)


def _says_all(other: Label, label: Label) -> bool:
    """Does another line cover the same and more. Ordinary says nothing beside any class, but that it is decided."""
    if other.when is not None or not other.covers(label.path):
        return False
    if label.about not in ("", other.about):
        return False
    return other.name == label.name or label.name == ORDINARY
