"""The text normaliser, one for hypotheses and references alike.

CVSS references are lower-case and unpunctuated, Whisper's output is neither, and it
writes "9" for "nine": scores are comparable only after the same rules on both sides.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from importlib.metadata import version

_PACKAGE = "openai-whisper"


@dataclass(frozen=True)
class Normalizer:
    """Whisper's normaliser for one language (ISO 639-1 code, such as "en").

    English has rules for numbers, contractions and British spelling
    (Radford et al. 2022, appendix C); every other language has the basic one, which
    lower-cases and takes punctuation and symbols out.

    >>> Normalizer("en").normalize("The train leaves at nine.")
    'the train leaves at 9'
    """

    language: str

    @property
    def name(self) -> str:
        """What score.json records: the rules and the package version they come from."""
        package = f"{_PACKAGE} {version(_PACKAGE)}"
        return f"{self._class_name} ({package}), stray symbols removed"

    def normalize(self, text: str) -> str:
        """Return `text` as words separated by single spaces, "" where none is left."""
        # Whisper's rules leave a lone "." of "yes..." standing, an ending that Whisper
        # itself often writes: it would count as a wrong word.
        words = self._function(text).split()
        return " ".join(word for word in words if any(map(str.isalnum, word)))

    @property
    def _class_name(self) -> str:
        if self.language == "en":
            return "EnglishTextNormalizer"
        return "BasicTextNormalizer"

    @cached_property
    def _function(self) -> Callable[[str], str]:
        # Seconds of torch and numba come with this import: only when text comes.
        import whisper.normalizers

        return getattr(whisper.normalizers, self._class_name)()
