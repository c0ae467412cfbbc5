"""Deep data in PostgreSQL with pgvector."""
