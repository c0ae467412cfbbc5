"""Networks that find and tell apart people: which there are, how to get them, how they run."""
