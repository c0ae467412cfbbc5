"""What sightings of many cities say together: a path, how sure it is, and where to look next."""
