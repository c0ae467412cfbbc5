"""Names on the wire of vertical training."""
