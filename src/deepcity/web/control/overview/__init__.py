"""What the pages of agencies and of the Inter-City Application Map show, as JSON."""
