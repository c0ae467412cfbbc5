"""A running city: a month at its highest speed, and ten minutes of kills."""
