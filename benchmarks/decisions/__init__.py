"""What decisions are worth in back-tests: air warning and parking guidance."""
