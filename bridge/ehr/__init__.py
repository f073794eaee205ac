"""EHRs as they are: what each takes, how canonical FHIR is shaped for it, and what its answers mean.

    facts.py       what is known of a vendor beyond its statement, each fact with source and date (vendors/*.yaml)
    capability.py  statement + facts + site + learned → may we, and why
    route.py       parts → the entries that should stand in one chart
    shape.py       canonical parts → the resource this EHR takes (context, note, references, instants, requirements)
    delivery.py    the opaque reference every delivery carries
    search.py      how a search is asked and its pages read
    match.py       searching the practice's Patient by its own identifier
    send.py        a step → the request; merge.py keeps what others wrote
    received.py    a response taken apart; outcome.py reads its codes, never anybody's words
    answers.py     the table of answers (rows.py); decide.py what follows from one
    look.py        is it there? after a lost answer; recognise.py knows a delivery when it sees one

Nothing here opens a connection, a file of a project, or the ledger, and nothing reads a clock.
"""
