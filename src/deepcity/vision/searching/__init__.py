"""Looking for one person in the tracks of a city's own cameras."""
