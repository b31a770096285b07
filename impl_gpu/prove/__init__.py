"""Proves that impl_gpu works on the device at hand, stage by stage from the smallest call up: python -m impl_gpu.prove.

On a GPU it proves what no processor can: that CUDA, CuPy and cuBLAS take the calls, and that kernels and products give
the numbers that the host side gave, which are carried in a file because such a machine may have no C++ compiler. With
IMPL_GPU_DEVICE=host the same command is a rehearsal, and its evidence says so. The clauses of the page are left to the
conformance suite.
"""
