"""Who asks: sessions of people, and how they end; programs that show a password each time."""
