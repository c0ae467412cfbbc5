"""A city's tracks on disk, for as many hours as it grants and no longer."""
