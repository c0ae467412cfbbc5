"""Leakage by layer, without defence, on real records: windows rebuilt from activations.

    python -m benchmarks.audit [--seeds 0,1,2] [--sets bikes,air] [--only-tables]

Parties of a set learn together at level 6 with a common stem, as in `python -m benchmarks.joining`.
Then the first party's network is attacked as `deepcity audit` does, and from a further city: the
second party's places, through that party's own network.
"""
