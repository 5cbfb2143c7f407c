"""Transcripts as they come, made uniform without changing a word."""

import re
import unicodedata

# What nobody hears or sees: soft hyphen, zero-width space, BOM, marks of direction. The
# joiners U+200C and U+200D stay: they change letters of Persian or Tamil.
_INVISIBLE = re.compile(
    "[\u00ad\u200b\u200e\u200f\u202a-\u202e\u2060-\u2064\u2066-\u2069\ufeff]"
)


def clean(text: str) -> str:
    """NFC, one space between words, no control or invisible characters.

    >>> clean("  cafe\\u0301\\u00a0 con\\u200b leche\\ufeff ")
    'café con leche'
    """
    visible = _INVISIBLE.sub("", unicodedata.normalize("NFC", text))
    spaced = (" " if unicodedata.category(c) == "Cc" else c for c in visible)
    return " ".join("".join(spaced).split())


def has_words(text: str) -> bool:
    """Whether anything of it could be spoken: a letter or a digit of any script."""
    return any(c.isalnum() for c in text)
