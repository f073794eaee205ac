"""JSON Schemas of the files people write, so that an editor knows them: names offered, mistakes of shape underlined.

They are as strict as the loader about names and shapes; what only a whole set of files can tell stays lint's. Draft 7,
which is what editors know best. `schemas(definitions)` gives the text of each by its file name.
"""

from __future__ import annotations

from bridge.mappings.editor.files import schemas

__all__ = ["schemas"]
