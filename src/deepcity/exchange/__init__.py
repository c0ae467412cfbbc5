"""How parties learn together: messages, transports, rounds, fusion."""
