"""`deepcity counts`: its options, what they mean, and what is printed."""
