"""A tamper-evident record of what left a site: an append-only Merkle tree with signed heads."""
