"""Ten thousand mutated tokens, requests and messages: refused by name, and none is taken."""
