"""Hand-off: documents given to an interface engine, a mail service or a person, where an EHR takes none by FHIR.

    over.py      what is handed over, and what became of it
    prepare.py   released parts → a document with its patient named in full
    er7.py       HL7 v2 as text: escaping, names, times; an acknowledgement read
    mdm.py       a document as MDM^T02, its replacement as T10, its cancellation as T11
    journal.py   a file in a folder, whole or not at all, and known to have been given after a kill
    folder.py    a folder an engine reads
    mllp.py      an engine's port
    smime.py     a mail signed and encrypted, and a notification read
    direct.py    a Direct address
    plugin.py    a site's own callable
    packet.py    pages a person takes there
    opening.py   settings → the way

Builders take values and return values; only folder, mllp, direct, plugin and journal touch the world, and only `moves`,
`jobs` and `cli` use them.
"""
