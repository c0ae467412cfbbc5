"""`deepcity case`: searches for a person across cities."""
