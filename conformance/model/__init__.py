"""What the suite itself expects of a call, by its own small models, and how near a number has to come."""
