"""Draws what the properties are tried on: cases of every shape that a call can have, and variants of them."""
