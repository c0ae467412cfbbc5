"""Rows that come to a running city one by one: pushed, published, or asked for again and again."""
