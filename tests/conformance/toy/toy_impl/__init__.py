"""A toy implementation to plant mutants in."""
