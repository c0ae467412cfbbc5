"""`deepcity layers` and `deepcity keys`: packages, who signed them, and whose signatures count."""
