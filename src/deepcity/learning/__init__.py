"""Networks with reusable hidden layers: stem, h1..h5, head; training and transfer."""
