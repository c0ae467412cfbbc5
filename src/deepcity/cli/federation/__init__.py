"""`deepcity federation`: a hub and sites on machines of their own."""
