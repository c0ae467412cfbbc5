"""A map's rounds between machines: a site's end, and the coordinator's."""
