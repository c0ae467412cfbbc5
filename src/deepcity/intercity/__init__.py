"""Inter-City Application Map: which party takes part in which service, down to which layer."""
