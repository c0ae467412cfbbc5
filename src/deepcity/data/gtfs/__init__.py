"""GTFS timetables: the files of a feed, its service days, and departures counted from them."""
