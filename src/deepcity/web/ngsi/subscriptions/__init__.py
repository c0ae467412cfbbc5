"""Subscriptions: other systems are notified of what changes."""
