"""Documents worth reading: one content model, several formats, the same facts in each.

    content.py    what a document says, in order, with the language of every line
    compose.py    canonical parts → a document
    several.py    the parts of several records → one document
    facts.py      FHIR resources → lines a person reads
    telling.py    how labels, codes, values and moments (moments.py) are said
    narrative.py  our XHTML narrative → the plain words it was made from
    words.py      headings and labels in the reader's language
    notices.py    what accompanies substance use records, in the law's words
    text.py       text/plain
    xhtml.py      application/xhtml+xml and text/html
    pdf.py        application/pdf, tagged; typeset from page.typ
    rtf.py        text/rtf
    ccda/         C-CDA R2.1: Care Plan and Progress Note
    script.py     which way a text is written
    formats.py    content type → renderer

People's words pass through byte for byte. Nothing here reads a clock or a file.
"""
