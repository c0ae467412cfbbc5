"""Rounds whose updates are summed securely: the coordinator's side and the sites'."""
