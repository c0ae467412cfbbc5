"""A city running: agencies encode and send deep data, an application forecasts from it."""
