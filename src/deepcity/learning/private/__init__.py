"""Differentially private training of shared layers: units, bounded influence, noise (ADR 27)."""
