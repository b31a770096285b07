"""The names that cells, implementations and the suite share: structures, shapes, cells, scopes, variables, errors."""
