"""How surely `deepcity data check` finds faults, and how often it cries wolf."""
