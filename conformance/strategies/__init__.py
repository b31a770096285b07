"""What the properties draw: cases of every shape that a call can have, and variants of them."""
