"""What people look at: reports now, HTTP API and dashboard later. Translates, decides nothing."""
