"""A document as C-CDA R2.1 (August 2015): a Care Plan where it tells a plan, else a Progress Note.

    render.py    the document: which template, its header and its sections
    header.py    who it is about, who wrote it, whose it is, what it documents
    body.py      sections: the narrative that everybody reads, and the entries it stands for
    entries.py   a goal, a health concern, a screening result, a note, as coded entries
    tree.py      elements, ids and times as CDA R2 writes them

Template ids and their required parts: C-CDA R2.1 Volume 2, and HL7's Schematron of it (2021-07-20), seen 2026-11-22.
Nothing stands in an entry that its section's narrative does not say. No extension (sdtc) is used, so that the plain
CDA R2 schema takes every document.
"""

from bridge.documents.ccda.render import render

__all__ = ["render"]
