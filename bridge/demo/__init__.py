"""A synthetic caseload through the line: invented families, four EHRs on this machine, a summary."""
