"""What leaves a party's house: what never does, and what did, by its own ledger and audit."""
