"""Ten thousand mutated files of what parties hand each other: refused by name, or as they were."""
