"""Words of decisions that a service of its own makes: one file a service."""
