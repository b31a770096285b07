"""Times a forward and a backward pass, and finds how long a sequence trains in little memory.

``python -m impl_gpu.bench --training`` is its command line.
"""
