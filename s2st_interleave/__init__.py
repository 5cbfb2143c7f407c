"""Scheduled interleaved speech-text training for speech-to-speech translation.

from s2st_interleave import Translator

said = Translator.from_pretrained("a packed folder, or a name of the hub")("in.wav")
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from s2st_interleave.pack.translator import Translator

__version__ = "0.1.0"
__all__ = ["Translator", "__version__"]


def __getattr__(name: str) -> object:
    """Import the translator when it is asked for: the package alone imports at once."""
    if name == "Translator":
        from s2st_interleave.pack.translator import Translator

        return Translator
    raise AttributeError(f"module '{__name__}' has no attribute '{name}'")
