"""What is wrong or doubtful in a file of records: profile, plots, rules."""
