"""Lists the names that the array module of host arrays has beside NumPy's ufuncs.

Each is a function of NumPy and of CuPy with the same parameters, as far as a cell is likely to give them.
"""

# fmt: off
COMPUTED = frozenset((
    "all", "allclose", "amax", "amin", "angle", "any", "append", "argmax", "argmin", "argsort", "around",
    "array_equal", "array_split", "average", "broadcast_arrays", "broadcast_to", "choose", "clip", "column_stack",
    "concatenate", "convolve", "copyto", "corrcoef", "correlate", "count_nonzero", "cov", "cross", "cumprod", "cumsum",
    "diag", "diagflat", "diagonal", "diff", "digitize", "dot", "dsplit", "dstack", "ediff1d", "einsum", "expand_dims",
    "fill_diagonal", "flip", "fliplr", "flipud", "gradient", "hsplit", "hstack", "imag", "inner", "interp", "isclose",
    "isin", "kron", "lexsort", "max", "mean", "median", "min", "moveaxis", "nan_to_num", "nanargmax", "nanargmin",
    "nancumprod", "nancumsum", "nanmax", "nanmean", "nanmedian", "nanmin", "nanprod", "nanstd", "nansum", "nanvar",
    "outer", "pad", "percentile", "prod", "ptp", "putmask", "quantile", "ravel", "real", "real_if_close", "repeat",
    "reshape", "resize", "roll", "rollaxis", "rot90", "round", "searchsorted", "select", "sinc", "sort", "split",
    "squeeze", "stack", "std", "sum", "swapaxes", "take_along_axis", "tensordot", "tile", "trace", "transpose",
    "trapezoid", "tril", "triu", "unwrap", "vander", "var", "vdot", "vsplit", "vstack",
))
"""Functions whose results have shapes that the host knows."""

READ = frozenset((
    "argwhere", "bincount", "compress", "extract", "flatnonzero", "nonzero", "trim_zeros", "union1d", "unique",
))
"""Functions whose results have shapes that depend on values: the host waits for these."""

MADE = frozenset((
    "arange", "eye", "hamming", "hanning", "identity", "indices", "linspace", "logspace", "tri",
    "tril_indices", "triu_indices",
))
"""Functions that make arrays of no arrays."""

KNOWN = frozenset((
    "can_cast", "iscomplexobj", "isrealobj", "isscalar", "min_scalar_type", "ndim", "promote_types", "result_type",
    "shape", "size",
))
"""Functions that tell what the host knows of an array."""

CONSTANTS = frozenset((
    "bool", "bool_", "broadcast_shapes", "complex128", "complex64", "complexfloating", "dtype", "e",
    "euler_gamma", "finfo", "float16", "float32", "float64", "floating", "generic", "iinfo", "inexact", "inf", "int16",
    "int32", "int64", "int8", "int_", "integer", "intp", "issubdtype", "nan", "newaxis", "number", "pi",
    "signedinteger", "uint16", "uint32", "uint64", "uint8", "unsignedinteger",
))
"""Names that are the same with and without a device."""

LINALG = frozenset((
    "cholesky", "det", "inv", "matrix_power", "norm", "pinv", "qr", "slogdet", "solve", "svd",
))
"""Functions of numpy.linalg; the host waits, since what they do depends on values."""
# fmt: on
