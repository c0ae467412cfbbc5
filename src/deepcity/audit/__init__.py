"""What layers, deep data and updates reveal of a party's rows, measured by attacks."""
