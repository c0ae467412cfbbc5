"""Networks made of a stem, hidden layers h1..h5 and a head; encoders; layers in and out."""
