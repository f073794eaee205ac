"""The KoNote export sent through the line: who consented to what, and whom the practices know."""
