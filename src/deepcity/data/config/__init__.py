"""City files as typed settings: sources, fields, times, references."""
