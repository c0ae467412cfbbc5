"""Text files as they come: quotes and line ends, delimiters, faults, columns for rows."""
