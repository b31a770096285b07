"""What the suite is run on: an implementation found by its name, opened here or behind a worker."""
