"""What networks see of a party's rows: typical days, windows, scaling, weather, calendar."""
