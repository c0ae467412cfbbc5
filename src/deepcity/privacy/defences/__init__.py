"""What lowers the leakage of released activations: on their way out, and while encoders learn."""
