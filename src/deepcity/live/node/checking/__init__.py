"""A node's records are checked each day by the rules of `data check`, in a process beside it."""
