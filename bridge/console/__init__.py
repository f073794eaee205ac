"""Pages for people: what needs them, where each record is, what each practice has. Plain HTML forms, no scripts."""
