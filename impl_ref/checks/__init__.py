"""Checks what a call is given and what a cell returns; a refusal names argument, wanted, got and clause."""
