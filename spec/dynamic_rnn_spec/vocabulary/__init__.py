"""Holds what cells, implementations and the suite share: structures, shapes, cells, scopes, variables and errors."""
