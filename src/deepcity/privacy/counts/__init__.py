"""Counts of units by cell, released with geometric noise; those under k are withheld.

The order matters. Noise is added to *every* cell of a set that is public, and what is withheld is
chosen by the noisy counts: that is post-processing and costs nothing. To withhold by the true
counts instead would show, by which cells are there, what the noise hides. So a count of k or more
may stand for fewer than k units, and k keeps small cells out of sight, not out of the guarantee:
that is epsilon's.
"""
