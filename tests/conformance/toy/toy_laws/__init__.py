"""Laws about a toy: its outputs are zeros of the inputs' shape, its state is the inputs; they judge nothing real."""
