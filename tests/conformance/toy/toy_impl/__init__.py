"""A toy implementation to plant mutants in; it knows no suite."""
