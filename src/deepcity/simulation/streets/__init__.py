"""Streets, bus lines and roads of three cities."""
