"""Deep data in one DuckDB file."""
