"""What may leave a party, and how that is kept."""
