"""How a law is written, how its examples are made, and how it is tried on an implementation."""
