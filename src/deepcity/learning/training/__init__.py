"""How one party trains on its own rows: settings, loss, learner, updates, training state."""
