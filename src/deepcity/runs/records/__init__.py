"""What the data check warns of or doubts in records, as notes."""
