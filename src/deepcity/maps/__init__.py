"""The map file: cities, services and who takes part in them, as settings that are checked."""
