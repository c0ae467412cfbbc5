"""One party of a map: its rows, its own experts, how its forecasts are weighed and scored."""
