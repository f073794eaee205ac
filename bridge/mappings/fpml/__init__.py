"""FHIRPath Mapping Language: templates shaped like their result, compiled to Python.

`compile_template(tree, schema=…)` gives a CompiledTemplate; `render(record, Environment(…))` its resource, and
`leaves(compiled.template)` which source paths flow into each of its elements.
"""

from __future__ import annotations

from bridge.mappings.fpml.compiled import CompiledTemplate, compile_template
from bridge.mappings.fpml.leaves import Leaf, covers, leaves
from bridge.mappings.fpml.template import Place, Positions

__all__ = ["CompiledTemplate", "Leaf", "Place", "Positions", "compile_template", "covers", "leaves"]
