"""What an audit found, in words, tables and a chart, for the report and the terminal."""
