"""The control room's HTTP API: a node's state as JSON, and what people answer to it."""
