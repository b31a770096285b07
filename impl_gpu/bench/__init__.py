"""Times impl_gpu where it runs, beside PyTorch where that is installed; it refuses to time what is not correct.

``python -m impl_gpu.bench`` is its command line.
"""
