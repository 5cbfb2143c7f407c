"""Transcripts as they come, made uniform without changing a word."""

import unicodedata
from collections.abc import Iterable

import regex

# What nobody hears or sees: soft hyphen, zero-width space, BOM, marks of direction. The
# joiners U+200C and U+200D stay: they change letters of Persian or Tamil.
_INVISIBLE = regex.compile(
    "[\u00ad\u200b\u200e\u200f\u202a-\u202e\u2060-\u2064\u2066-\u2069\ufeff]"
)

# Scripts (ISO 15924) that put no space between words. Of Chinese and Japanese each letter
# counts as a word, their marks of repetition and wide forms too.
UNSPACED_SCRIPTS = tuple(
    "Hani Bopo Hira Kana Thai Laoo Khmr Mymr Tibt Tale Talu Lana Tavt Java Bali".split()
)
_CJK = "\u3005-\u3007\u3040-\u30ff\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
_CJK += "\uff66-\uff9f\U00020000-\U0003134f"
_OTHERS = "".join(rf"\p{{Script={name}}}" for name in UNSPACED_SCRIPTS[4:])
# Their digits and punctuation are like those of other scripts.
_UNSPACED = rf"[{_CJK}[[{_OTHERS}]&&[\p{{L}}\p{{M}}]]]"
_EXTEND = r"\p{M}\p{Grapheme_Cluster_Break=Extend}\u200d"
_RUN = rf"(?:[^\s{_UNSPACED}]++\p{{M}}*+)+"
# A letter with all that is written on it, in Burmese or Khmer another letter too. Thai
# and Lao write some vowels before the letter after which they are spoken.
_STACKER = r"[\u1039\u17d2\u1a60\u1b44\ua9c0]"
_CLUSTER = (
    rf"(?:\p{{Logical_Order_Exception}}(?={_UNSPACED}))?{_UNSPACED}"
    rf"(?:[{_EXTEND}\p{{Grapheme_Cluster_Break=SpacingMark}}]|(?<={_STACKER}){_UNSPACED})*"
)
_TOKEN = regex.compile(rf"(?V1)\s*(?:{_CLUSTER}|{_RUN})")
_MARKS = "\u3001-\u303f\uff01-\uffef"  # Chinese punctuation, and letters as wide
_NO_SPACE = regex.compile(rf"(?V1)[{_UNSPACED}{_MARKS}]")
_EXTENDS = regex.compile(f"[{_EXTEND}]")
_CHARACTER = regex.compile(r"\X\p{M}*")


def clean(text: str) -> str:
    """NFC, one space between words, no control or invisible characters.

    >>> clean("  cafe\\u0301\\u00a0 con\\u200b leche\\ufeff ")
    'café con leche'
    """
    visible = visible_only(unicodedata.normalize("NFC", text))
    spaced = (" " if unicodedata.category(c) == "Cc" else c for c in visible)
    return " ".join("".join(spaced).split())


def visible_only(text: str) -> str:
    """`text` without what nobody hears or sees."""
    return _INVISIBLE.sub("", text)


def characters(text: str) -> list[str]:
    """What readers count as characters: each with its marks; spaces are none.

    >>> characters("ไป ด้วย"), characters("हिंदी")
    (['ไ', 'ป', 'ด้', 'ว', 'ย'], ['हिं', 'दी'])
    """
    return _CHARACTER.findall("".join(text.split()))


def tokens(text: str) -> list[str]:
    """What lies between spaces, and each letter of an unspaced script by itself.

    >>> tokens("dos cafés"), tokens("GPU を2枚"), join(tokens("GPU を2枚"))
    (['dos', 'cafés'], ['GPU', ' を', '2', '枚'], 'GPU を2枚')
    >>> tokens("เด็ก 2 คน")
    ['เด็', 'ก', ' 2', ' ค', 'น']
    """
    found: list[str] = []
    for token in _TOKEN.findall(text):
        left = found[-1] if found else ""
        bare = token.strip()
        # A space that `join` would not put there stays with the token.
        lost = left and token != bare and not gap(left, bare)
        found.append(f" {bare}" if lost else bare)
    return found


def gap(left: str, right: str) -> str:
    """What stands between two tokens: a space, but none beside an unspaced script."""
    if not left or right.startswith(" "):
        return ""
    if left[-1].isascii() and right[:1].isascii():
        return " "
    if _ends_unspaced(left):
        return ""
    return "" if _NO_SPACE.match(right) else " "


def _ends_unspaced(text: str) -> bool:
    """Marks that scripts share are of the letter before them."""
    for char in reversed(text):
        if _NO_SPACE.match(char):
            return True
        if not _EXTENDS.match(char):
            return False
    return False


def join(words: Iterable[str]) -> str:
    """Tokens as a text again: what `tokens` has cut."""
    text = ""
    for word in words:
        text += gap(text, word) + word
    return text


def has_words(text: str) -> bool:
    """Whether anything of it could be spoken: a letter or a digit of any script."""
    return any(c.isalnum() for c in text)


def spoken_form(text: str) -> str:
    """What the CTC model is trained to hear: lower case, no punctuation, spaced words.

    >>> spoken_form("Well-known: O'Neill, 'S.A.'?"), spoken_form("今日は、雨。")
    ("well known o'neill s a", '今 日 は 雨')
    """
    folded = unicodedata.normalize("NFKC", text).lower().replace("\u2019", "'")
    # Combining marks (category M) belong to the letter before them.
    letters = (
        c if c.isalnum() or c == "'" or unicodedata.category(c)[0] == "M" else " "
        for c in folded
    )
    words = (word.strip(" '") for word in tokens("".join(letters)))
    return " ".join(word for word in words if word)


def same_when_spoken(text: str) -> str:
    """What texts have in common that sound alike: case, marks and spaces are left out.

    >>> same_when_spoken("Dos\u00a0CAFE\u0301S!") == same_when_spoken("dos caf\u00e9s ")
    True
    """
    return regex.sub("['\u02bc]", "", spoken_form(clean(text)).casefold())
