"""When things happen: reading what agencies give, and running the line over it."""
