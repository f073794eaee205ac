"""The functions of FHIRPath itself, and the registry that holds them all."""

from __future__ import annotations

from bridge.mappings.fhirpath.builtins.conversions import CONVERSIONS
from bridge.mappings.fhirpath.builtins.fhir import FHIR
from bridge.mappings.fhirpath.builtins.inline import INLINE
from bridge.mappings.fhirpath.builtins.numbers import NUMBERS
from bridge.mappings.fhirpath.builtins.refused import REFUSED
from bridge.mappings.fhirpath.builtins.sets import SETS
from bridge.mappings.fhirpath.builtins.strings import STRINGS
from bridge.mappings.fhirpath.registry import Registry

REGISTRY = Registry((*INLINE, *SETS, *STRINGS, *NUMBERS, *CONVERSIONS, *FHIR, *REFUSED))
"""FHIRPath N1 and its R4 additions, as far as they need no server, clock or log."""
