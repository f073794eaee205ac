"""What the engine must know of FHIR types: a Protocol that a caller fills, and the type hierarchy of the data types.

Sources: FHIR R4 datatypes (hl7.org/fhir/R4/datatypes.html), choice types (open.html), hl7.org/fhir/R4/fhirpath.html.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

SYSTEM_TYPES = frozenset(
    {"Any", "Boolean", "String", "Integer", "Decimal", "Date", "DateTime", "Time", "Quantity"},
)
_STRINGS = ("string", "code", "id", "markdown", "uri", "url", "canonical", "uuid", "oid", "base64Binary", "xhtml")
_NUMBERS = ("integer", "positiveInt", "unsignedInt", "decimal", "integer64")
PRIMITIVES = frozenset({*_STRINGS, *_NUMBERS, "boolean", "date", "dateTime", "instant", "time"})
COMPLEX = frozenset(
    {
        "Address", "Age", "Annotation", "Attachment", "CodeableConcept", "Coding", "ContactDetail", "ContactPoint",
        "Contributor", "Count", "DataRequirement", "Distance", "Dosage", "Duration", "Expression", "Extension",
        "HumanName", "Identifier", "Meta", "Money", "Narrative", "ParameterDefinition", "Period", "Quantity", "Range",
        "Ratio", "Reference", "RelatedArtifact", "SampledData", "Signature", "SimpleQuantity", "Timing",
        "TriggerDefinition", "UsageContext", "BackboneElement", "Element", "Resource", "DomainResource",
    },
)  # fmt: skip
CHOICES: dict[str, str] = {name[0].upper() + name[1:]: name for name in (*PRIMITIVES, *COMPLEX)}
"""The ending of a choice element (valueDateTime) to the type it stands for."""
CHOICE_ELEMENTS = frozenset(
    {
        "abatement", "answer", "asNeeded", "born", "deceased", "defaultValue", "dose", "effective", "fixed", "initial",
        "medication", "multipleBirth", "occurrence", "onset", "pattern", "performed", "product", "rate", "scheduled",
        "serviced", "timing", "value",
    },
)  # fmt: skip
"""Elements that are read as choices where no TypeModel and no schema says so. A closed list, so that `contact` never
finds an agency's `contactDate`."""
_PARENTS = {
    "code": "string", "id": "string", "markdown": "string", "url": "uri", "canonical": "uri", "uuid": "uri",
    "oid": "uri", "positiveInt": "integer", "unsignedInt": "integer", "Age": "Quantity", "Count": "Quantity",
    "Distance": "Quantity", "Duration": "Quantity", "SimpleQuantity": "Quantity", "DomainResource": "Resource",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class ElementType:
    """What an element may hold: one type, or several where its name ends in [x]; `many` where it repeats."""

    types: tuple[str, ...]
    many: bool
    choice: bool = False


class TypeModel(Protocol):
    """Element types of FHIR resources and data types; a backbone element's type is its path (Patient.contact)."""

    def element(self, type_name: str, name: str) -> ElementType | None:
        """The element `name` of a type or of its parents; None where the type has none."""
        ...

    def parent(self, type_name: str) -> str | None:
        """The type that this one specialises; None for a root and for what is no type."""
        ...

    def is_type(self, name: str) -> bool:
        """Is there such a type."""
        ...


def parent_of(name: str, model: TypeModel | None) -> str | None:
    """The parent of a FHIR type, from the model where there is one."""
    found = model.parent(name) if model is not None else None
    return found or _PARENTS.get(name)


def is_kind_of(name: str, wanted: str, model: TypeModel | None) -> bool:
    """Is the FHIR type `name` the type `wanted` or one of its descendants."""
    current: str | None = name
    for _ in range(8):
        if current is None or current == wanted:
            break
        current = parent_of(current, model)
    return current == wanted
