"""The suite's own small models of what a call must give, and how close a number has to come to them."""
