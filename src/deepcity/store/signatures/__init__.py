"""Ed25519 signatures of what is stored and handed on, and whose keys are trusted."""
