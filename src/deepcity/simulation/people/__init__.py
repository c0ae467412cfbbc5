"""Who goes where, and when: passers-by and lost children."""
