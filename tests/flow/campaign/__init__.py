"""Kill campaigns: records through the line while its workers are killed, and the proof that nothing came of it.

caseload.py   what the agency says, version by version
sites.py      EHRs in processes of their own
nursery.py    the process that workers are forked from
crew.py       workers as processes: started, killed, started again
torment.py    one campaign from the first record to the last settled entry
proof.py      what must be true afterwards, of the ledger and of what the EHRs hold
"""
