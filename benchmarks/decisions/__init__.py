"""What decisions are worth in back-tests, service by service, each against its baseline."""
