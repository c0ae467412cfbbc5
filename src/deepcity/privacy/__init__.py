"""Grants: what may leave a party, and the checks of it."""
