"""What came of a run, from its trainings and the results of its sites."""
