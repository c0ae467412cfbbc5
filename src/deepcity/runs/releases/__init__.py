"""What may leave a site by its city's policy, and what left: recorded, co-signed, checked."""
