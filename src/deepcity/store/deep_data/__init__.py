"""Deep data as a store sees them: batches, checks, upserts, reads; whatever the database."""
