"""The mapping language: what agencies say becomes FHIR, as data that reads like the resource it makes.

    load.py       files → Mappings: kinds, mappings and tables, every problem at once with file:line
    kinds.py      what a record of one kind is: its shape, its id, whose it is, what is never collected
    fhirpath/     FHIRPath, compiled
    fpml/         templates of FHIRPath, compiled
    template.py   the engine as mappings use it
    functions.py  the closed list of our own functions
    labels.py     which class each emitted element falls in, and about whom it is
    translate.py  one record → FHIR parts or holds
    cases.py      the cases beside each mapping
    packs/        mappings that ship with the bridge

A mapping reaches no file, network, clock, randomness or environment.
"""
