"""How services of each task decide: one file a task, shared by all services of it."""
