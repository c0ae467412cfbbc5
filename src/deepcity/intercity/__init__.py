"""Cities learn together: who can share which layers, level choice, newcomers."""
