"""Errors, calibrated bands, naive baselines and drift."""
