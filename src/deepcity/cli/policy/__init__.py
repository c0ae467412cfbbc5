"""`deepcity policy`: its commands, and grants in words."""
