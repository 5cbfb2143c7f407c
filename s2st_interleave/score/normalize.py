"""The text normaliser, one for hypotheses and references alike.

CVSS references are lower-case and unpunctuated, Whisper's output is neither, and it
writes "9" for "nine": scores are comparable only after the same rules on both sides.
"""

import sys
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from importlib.metadata import version
from importlib.util import find_spec, module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType

import regex

from s2st_interleave.data.languages import language, scripts
from s2st_interleave.data.text import (
    LIKE_LETTERS,
    STROKE,
    compatible,
    plain_apostrophes,
    visible_only,
)

_PACKAGE = "openai-whisper"
OURS = "apostrophes alike, stray symbols removed"
_STYLE = regex.compile(r"\p{Variation_Selector}")  # how a letter or emoji is drawn
_NO_JOINER = "\u200c"  # between parts of a Persian word; elsewhere it has no sound
_USUAL = {"Latn", "Cyrl", "Grek"}  # scripts whose digits are 0 to 9


@dataclass(frozen=True)
class Normalizer:
    """Whisper's normaliser for one language, by its code.

    English has rules for numbers, contractions and British spelling
    (Radford et al. 2022, appendix C); every other language has the basic one, which
    lower-cases and takes punctuation and symbols out. That would take the marks out as
    well of which letters are made in most scripts: here they stay. Digits of all scripts
    are alike, letters that keyboards confuse, and spellings of one letter. Raises UserError
    for a language of which nothing is known.

    >>> Normalizer("en").normalize("The train leaves at nine.")
    'the train leaves at 9'
    >>> Normalizer("hi").normalize("हिन्दी, क्या?")
    'हिन्दी क्या'
    """

    language: str

    def __post_init__(self) -> None:
        language(self.language)

    @property
    def name(self) -> str:
        """What score.json records: the rules and the package version they come from."""
        package = f"{_PACKAGE} {version(_PACKAGE)}"
        if self._rules == "english":
            return f"EnglishTextNormalizer ({package}), {OURS}"
        kept = "marks of letters kept"
        if self._rules == "dotless":
            kept += ", I is ı"
        if self._is_unusual:
            kept += ", digits and spellings alike"
        return f"BasicTextNormalizer ({package}), {kept}, {OURS}"

    @property
    def input(self) -> str:
        """The name, where rules have changed since stage 9 keeps records; else ""."""
        return self.name if self._is_unusual else ""

    @property
    def _is_unusual(self) -> bool:
        """Whether there are several digits or spellings that count as one."""
        code = language(self.language).code
        usual = _USUAL.intersection(scripts(self.language))
        return self._rules != "english" and (code in LIKE_LETTERS or not usual)

    def normalize(self, text: str) -> str:
        """Return `text` as words separated by single spaces, "" where none is left."""
        # Whisper's rules leave a lone "." of "yes..." standing, an ending that Whisper
        # itself often writes: it would count as a wrong word.
        words = self._function(self._plain(text)).split()
        return " ".join(word for word in words if any(map(str.isalnum, word)))

    def _plain(self, text: str) -> str:
        """A text without what two who write the same need not agree on."""
        if text.isascii() or self._rules == "english":
            return plain_apostrophes(text)
        code = language(self.language).code
        text = compatible("".join(map(_unbracketed, text)))
        text = text.translate(LIKE_LETTERS.get(code, {})).replace(STROKE, "")
        text = text.replace(_NO_JOINER, " " if code == "fa" else "")
        if self._rules != "dotless":
            text = text.replace("İ", "I").replace("i\u0307", "i")
        return "".join(
            str(unicodedata.decimal(c)) if c.isdecimal() else c for c in text
        )

    @property
    def _rules(self) -> str:
        return language(self.language).rules

    @cached_property
    def _function(self) -> Callable[[str], str]:
        whisper = _whisper_normalizers()
        if self._rules == "english":
            return whisper.EnglishTextNormalizer()
        basic = whisper.BasicTextNormalizer()
        basic.clean = without_symbols  # pyrefly: ignore[bad-assignment]: one of two kinds
        if self._rules == "dotless":
            return lambda text: basic(_dotless(text))
        return basic


def _unbracketed(char: str) -> str:
    """A sign, with spaces for brackets that are wide: Whisper drops what stands in others."""
    if char.isascii():
        return char
    plain = unicodedata.normalize("NFKC", char)
    bare = plain.strip("()[]<>")
    return char if bare == plain else f" {bare} "


def _dotless(text: str) -> str:
    """A text with the small letters of I and İ, be its dot a sign of its own or not."""
    composed = unicodedata.normalize("NFC", text)
    return composed.replace("İ", "i").replace("I", "ı")


def _whisper_normalizers() -> ModuleType:
    """`whisper.normalizers`, without `whisper` itself.

    Its recogniser, which is not used here, imports torch and numba: 2 s of every scoring.
    """
    name = "s2st_whisper_normalizers"
    if name not in sys.modules:
        whisper = find_spec("whisper")
        if not (whisper and whisper.submodule_search_locations):
            raise ModuleNotFoundError("No module named 'whisper'", name="whisper")
        folder = Path(whisper.submodule_search_locations[0], "normalizers")
        spec = spec_from_file_location(
            name, folder / "__init__.py", submodule_search_locations=[str(folder)]
        )
        assert spec and spec.loader
        sys.modules[name] = module_from_spec(spec)
        spec.loader.exec_module(sys.modules[name])
    return sys.modules[name]


def without_symbols(text: str) -> str:
    """NFKC of `text` with a space for each symbol and each mark that is of no letter.

    What nobody sees is taken out without one.
    """
    visible = visible_only(_STYLE.sub("", unicodedata.normalize("NFKC", text)))
    kept: list[str] = []
    for char in visible:
        kind = unicodedata.category(char)[0]
        marks_letter = kind == "M" and kept and not kept[-1].isspace()
        kept.append(" " if kind in "SP" or (kind == "M" and not marks_letter) else char)
    return "".join(kept)
