"""What deep data cost and give."""
