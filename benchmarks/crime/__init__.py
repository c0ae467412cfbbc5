"""Offences a day in New York and Chicago by ST-HSL's published protocol."""
