"""Makes kernel sources with defects in them, for the tests of what judges kernels."""

from collections.abc import Callable

from impl_gpu import kernels


def plant(module: str, pairs: list[tuple[str, str]]) -> Callable[[str, str], str]:
    """The sources there are, with all of ``pairs`` replaced in one module."""

    def source(asked: str, dtype: str) -> str:
        text = kernels.source(asked, dtype)
        for old, new in pairs if asked == module else ():
            assert text.count(old) == 1, f"the source is another one: plant the defect anew: {old}"
            text = text.replace(old, new)
        return text

    return source
