"""What left the sites of a run, as people look at it: ledgers in folders, checked and handed on."""
