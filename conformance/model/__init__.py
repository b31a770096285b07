"""Models what a call must give, and says how close a number has to come to that."""
