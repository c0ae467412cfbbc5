"""Secure sums: members' vectors are added up without anybody seeing one of them.

Secure aggregation after Bonawitz et al. 2017, "Practical secure aggregation for privacy-preserving
machine learning" (CCS 2017), in its form for servers that may lie. One sum has four steps:

    keys     each member makes new keys and a seed, and signs them with its lasting identity
    shares   it checks the roster of all keys, and seals a share of its secrets for each member
    mask     it adds a mask for each pair of members, which cancels in the sum, and one of its own
    unmask   of each member that sent its vector it gives the share of the seed, and of each that
             did not the share of the masking key; never both

Masks are ChaCha20 streams (RFC 8439) from seeds by X25519 (RFC 7748) and HKDF-SHA256 (RFC 5869),
added to fixed-point integers in the ring of integers modulo 2**32. Secrets are shared by Shamir's
scheme; more than two thirds of the members are needed to open a sum.
"""
