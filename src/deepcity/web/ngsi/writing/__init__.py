"""What places measure, written as entities by other systems."""
