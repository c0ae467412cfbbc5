"""What leaves my house: what never leaves a party, and what has left it, for the control room."""
