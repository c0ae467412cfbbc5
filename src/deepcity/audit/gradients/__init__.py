"""Attacks that rebuild rows from one update of shared layers."""
