"""Makes any text safe to show: control characters, lone surrogates and direction overrides become visible escapes.

Escaping for HTML, Markdown or XML comes on top of that and is each renderer's own.
"""

from __future__ import annotations

import re
from typing import Any

# What XML 1.0 forbids, what UTF-8 cannot encode, and what lets one text pose as another when displayed.
_UNSHOWABLE = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u2069\ufeff\ufffe\uffff\ud800-\udfff]"
)


def printable(text: str) -> str:
    """The text with each unshowable character as `\\x07` or `\\u202e`; newline and tab stay."""

    def escape(match: re.Match[str]) -> str:
        code = ord(match.group())
        return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"

    return _UNSHOWABLE.sub(escape, text.replace("\r\n", "\n"))


def printable_tree(value: Any) -> Any:
    """The same JSON value with every string in it made printable, keys included."""
    if isinstance(value, str):
        return printable(value)
    if isinstance(value, list):
        return [printable_tree(item) for item in value]
    if isinstance(value, dict):
        return {printable(key): printable_tree(item) for key, item in value.items()}
    return value


def clip(text: str, limit: int) -> str:
    """The text, cut to `limit` characters with a word about how much is missing."""
    return text if len(text) <= limit else f"{text[:limit]} … ({len(text) - limit} more characters)"
