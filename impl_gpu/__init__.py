"""The r1.4 page of dynamic_rnn in CuPy, with fused kernels; it knows no other implementation.

Start reading at ``impl_gpu/dynamic_rnn.py``.
"""
