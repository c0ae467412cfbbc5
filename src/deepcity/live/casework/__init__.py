"""Cases between machines: other cities by their addresses, and messages over HTTP."""
