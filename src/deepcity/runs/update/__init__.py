"""Updates of a finished run with rows that have come since."""
