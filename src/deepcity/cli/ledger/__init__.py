"""`deepcity ledger`: the record of what left, shown, checked, proven and co-signed."""
