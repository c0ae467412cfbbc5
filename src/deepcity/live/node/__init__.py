"""One node: a city's records flow in, its services forecast and decide, all of it as events."""
