"""Laws that hold of the toy, whose outputs are zeros of the inputs' shape and whose state is the inputs."""
