"""What entities were, and are forecast to be, over time (NGSI-LD 4.11, 6.18, 6.19, 6.24)."""
