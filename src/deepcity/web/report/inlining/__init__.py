"""The live parts of a page: their data, and their script and style as `make web` built them."""
