"""Deep data of a running city under its policy: what an agency sends, and what is read."""
