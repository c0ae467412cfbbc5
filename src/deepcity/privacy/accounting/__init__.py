"""How much of differential privacy is spent: accountant, noise that can be repeated, budget."""
