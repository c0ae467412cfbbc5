"""Sealed files of trained parts: layer packages and their manifest."""
