"""Encryption of a site's private files on disk, where its operator asks for it."""
