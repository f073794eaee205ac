"""A first draft of kind, mapping, tables and case from a source nobody described, for a person to decide on.

    formats.py       ways a text can be written, as tests over all values
    profile.py       what a source holds, field by field
    names.py         what the name of a field suggests
    columns.py       what each field is taken for, and whether it stays at the agency
    values.py        which codes may be shown
    declarations.py  guesses at id, subject, time, final and void, ranked
    shapes.py        what the columns look like together
    suggestions.py   the parts they suggest
    notes.py         the document among them
    kindtext.py      the kind file
    writing.py       the other files
    synthetic.py     a made-up record
    drafting.py      all of it, in order

Whatever is a guess stands on a line with `# ??` and its reasons. No free text and nothing that says who somebody is is
written anywhere; a code is, once it came for two persons. Codes are never guessed.
"""

from bridge.mappings.draft.drafting import Drafted, draft
from bridge.mappings.draft.yamltext import MARK, UNDECIDED

__all__ = ["MARK", "UNDECIDED", "Drafted", "draft"]
