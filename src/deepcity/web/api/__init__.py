"""An application's HTTP API: it translates between HTTP and a live application, no more."""
