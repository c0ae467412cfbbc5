"""What joining is worth on every real set of several cities, and whether it ever costs."""
