"""What each party may weigh, and who is set aside: what a party sends cannot be checked alone."""
