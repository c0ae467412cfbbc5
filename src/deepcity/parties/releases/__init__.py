"""What may leave a site by its city's policy, and the record of what left."""
