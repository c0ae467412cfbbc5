"""`deepcity audit`: the command and its tables."""
