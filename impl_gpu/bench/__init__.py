"""Times impl_gpu on the machine at hand, beside PyTorch where that is installed, after checking its results.

``python -m impl_gpu.bench`` is its command line.
"""
