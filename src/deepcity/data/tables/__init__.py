"""Records of any layout to values by time, place and field."""
