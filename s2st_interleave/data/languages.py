"""Language codes, and the facts about each language that scores and recogniser need.

    python -m s2st_interleave.data.languages de zh-CN   # fails for anything but a code

The facts are in the table of data/language_table.py.
"""

import difflib
import sys
from dataclasses import dataclass, replace
from functools import cache
from typing import Any, Literal, cast

from s2st_interleave.data.language_table import TABLE
from s2st_interleave.data.text import UNSPACED_SCRIPTS
from s2st_interleave.errors import UserError

_NORWEGIAN = {"nb": "no", "nn": "no"}
Unit = Literal["word", "character"]
Rules = Literal["english", "basic", "dotless"]

# Codes of BCP 47 that name no language: undetermined, several, uncoded, none.
_NAMELESS = ("und", "mul", "mis", "zxx")
# Unicode's scripts of the letters of a script that has several kinds, or a style.
_HAN = ("Hani", "Bopo")
_LETTERS = {
    **dict.fromkeys(("Hans", "Hant", "Hani", "Hanb"), _HAN),
    "Jpan": ("Hani", "Hira", "Kana"),
    "Hrkt": ("Hira", "Kana"),
    "Kore": ("Hang", "Hani"),
    "Aran": ("Arab",),
    "Latf": ("Latn",),
    "Latg": ("Latn",),
    "Cyrs": ("Cyrl",),
    "Geok": ("Geor",),
}


@dataclass(frozen=True)
class Language:
    """A line of the table; `whisper` is None where Whisper does not know it."""

    code: str
    unit: Unit
    tokenizer: str
    rules: Rules
    whisper: str | None
    name: str

    @property
    def error_rate(self) -> str:
        """Error rate of transcripts: "WER", or "CER" without spaces between words."""
        return "WER" if self.unit == "word" else "CER"


def _line(text: str) -> Language:
    code, unit, tokenizer, rules, whisper, name = text.split(maxsplit=5)
    known = None if whisper == "-" else whisper
    return Language(code, cast(Unit, unit), tokenizer, cast(Rules, rules), known, name)


LANGUAGES = {row.code: row for row in map(_line, filter(None, TABLE.splitlines()))}


class LanguageCode(str):
    """A language as BCP 47 writes it: de, zh-CN, es-419, sr-Latn.

    Raises UserError for anything else, with the nearest code where there is one.
    """

    __slots__ = ()

    def __new__(cls, text: Any) -> "LanguageCode":
        if not (isinstance(text, str) and _is_code(text)):
            near = as_code(str(text))
            raise UserError(
                f"{str(text)!r} is no language code, which BCP 47 writes like de, zh-CN "
                f"or sr-Latn{near and f'; did you mean {near!r}?'}"
            )
        return super().__new__(cls, text)


def language(code: str) -> Language:
    """The table's row for a code; a code with an unusual script has the units of that.

    Raises UserError for anything but a code, and for a language that is not in the table.

    >>> language("zh-CN").whisper, language("sr-Latn").unit, language("ja-Latn").unit
    ('zh', 'word', 'word')
    """
    tag = _parsed(LanguageCode(code))
    # The code's row, that of its language, or of the macrolanguage: cmn is Chinese.
    for key in (code, tag.language, _standard(tag.language, macro=True)):
        if key in LANGUAGES:
            return _written(LANGUAGES[key], tag.script)
    raise UserError(
        f"nothing is known of language '{code}': how its words are told apart, how its "
        "errors are counted; add a line for it to the table in "
        "s2st_interleave/data/language_table.py"
    )


def scripts(code: str) -> tuple[str, ...]:
    """Scripts (ISO 15924) of the letters that a language is written in, by its code."""
    script = _parsed(code).maximize().script
    return _LETTERS.get(script, (script,))


def in_script(code: str, script: str) -> str:
    """The code of the same language in `script`: sr-Latn for sr, sr for sr-Latn."""
    tag = _parsed(code)
    plain = tag.make(language=tag.language, territory=tag.territory)
    if script in scripts(plain.to_tag()):
        return plain.to_tag()
    return plain.update_dict({"script": script}).to_tag()


_DOTLESS = {"ba", "kk", "tt"}  # Latin letters of these have an i without a dot


def _written(known: Language, script: str | None) -> Language:
    """The language in `script`; None: in its usual one."""
    letters = _LETTERS.get(script, (script,)) if script else ()
    if set(letters) <= set(scripts(known.code)):
        return known
    if set(letters) <= set(UNSPACED_SCRIPTS):
        return replace(known, unit="character", tokenizer="char")
    rules = "dotless" if script == "Latn" and known.code in _DOTLESS else known.rules
    return replace(known, unit="word", tokenizer="13a", rules=rules)


@cache
def alike(code: str, other: str) -> bool:
    """May two codes mean one language? So do es and es-419, but not zh-CN and zh-TW."""
    a, b = (_parsed(_standard(name, macro=True)) for name in (code, other))
    names = {_NORWEGIAN.get(tag.language, tag.language) for tag in (a, b)}
    pairs = ((a.script, b.script), (a.territory, b.territory))
    return len(names) == 1 and all(x is None or y is None or x == y for x, y in pairs)


@cache
def _parsed(code: str) -> Any:
    """The parts of a code; ValueError where it is none."""
    from langcodes import (
        Language,
    )  # most commands need no code, and its tables take time

    return Language.get(code, normalize=False)


def _standard(code: str, *, macro: bool = False) -> str:
    from langcodes import standardize_tag

    return standardize_tag(code, macro=macro)


@cache
def _is_code(text: str) -> bool:
    try:
        tag = _parsed(text)
    except ValueError:
        return False
    name = tag.language or "und"
    private = name.startswith("x-") or "qaa" <= name <= "qtz"
    named = name not in _NAMELESS and not private
    return named and tag.is_valid() and tag.to_tag() == text


@cache
def as_code(text: str) -> str:
    """The code that a text means: a code, a name or a country; "" where it means none.

    >>> [as_code(text) for text in ("<spa>", "de_AT", "Thai", "jp", "channel 1")]
    ['es', 'de-AT', 'th', 'ja', '']
    """
    text = text.strip("<>[] \t\n")
    if _is_code(text):
        return text
    names = {row.name.lower(): row.code for row in LANGUAGES.values()}
    if text.lower() in names:
        return names[text.lower()]
    try:
        code = _standard(text)
        if not _is_code(code) and len(text) == 2 and text[0] not in "xX":
            country = _parsed(f"und-{text}")  # jp, cz
            code = country.maximize().language or "" if country.is_valid() else ""
    except ValueError:
        close = difflib.get_close_matches(text.lower(), names, n=1, cutoff=0.88)
        return names[close[0]] if close else ""
    return code if _is_code(code) else ""


def main(codes: list[str]) -> int:
    try:
        for code in codes:
            language(code)
    except UserError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
