"""People and programs that may log in here: their file, and who of them asks."""
