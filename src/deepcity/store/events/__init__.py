"""What a city knew, forecast, decided and answered: events that are appended and never changed."""
