"""How far `deepcity init` comes by itself, and how long it takes from records to a forecast."""
