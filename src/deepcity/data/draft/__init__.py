"""What a table of raw records shows of itself, and the questions that it leaves open."""
