"""A node's forecasters learn from new days, in a process of its own beside the node."""
