"""Logging in by another provider of people: OpenID Connect Core 1.0, authorization code flow."""
