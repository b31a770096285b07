"""The checks of what a call is given and of what a cell returns: each refuses by argument, wanted, got and clause."""
