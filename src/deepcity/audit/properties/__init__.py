"""What the parameters that a party sends betray of its records as a whole."""
