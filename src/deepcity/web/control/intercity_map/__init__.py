"""The Inter-City Application Map (the paper's figure 5), from runs' and federations' records."""
