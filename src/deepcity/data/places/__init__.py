"""Places of an agency: their ids in records, grid cells, and where they are found."""
