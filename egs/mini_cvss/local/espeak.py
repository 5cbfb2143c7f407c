"""espeak-ng through its C API: samples, and the exact onset of every word.

PyPI's `espeakng-loader` carries the library and its data, so no root is needed.
"""

from __future__ import annotations

import _ctypes
import ctypes
import os
from pathlib import Path

import numpy as np

from s2st_interleave.config import nearest
from s2st_interleave.errors import UserError

# espeak-ng's speak_lib.h: constants and the event record.
AUDIO_OUTPUT_RETRIEVAL, CHARS_UTF8, POS_CHARACTER = 1, 1, 1
PARAMETER_RATE, PARAMETER_PITCH, PARAMETER_RANGE = 1, 3, 4
EVENT_END_OF_LIST, EVENT_WORD = 0, 1


class _Event(ctypes.Structure):
    _fields_ = [
        ("type", ctypes.c_int),
        ("unique_identifier", ctypes.c_uint),
        ("text_position", ctypes.c_int),
        ("length", ctypes.c_int),
        ("audio_position", ctypes.c_int),
        ("sample", ctypes.c_int),
        ("user_data", ctypes.c_void_p),
        ("id", ctypes.c_char * 8),
    ]


_CALLBACK = ctypes.CFUNCTYPE(
    ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.POINTER(_Event)
)


class Espeak:
    """espeak-ng in this process; one voice, rate and pitch at a time."""

    def __init__(self) -> None:
        import espeakng_loader

        self._path = espeakng_loader.get_library_path()
        self._data = espeakng_loader.get_data_path().encode()
        self._callback = _CALLBACK(self._receive)
        self._chunks: list[np.ndarray] = []
        self._onsets: list[tuple[int, int]] = []

    def speak(
        self, sentence: str, voice: str, rate: int, pitch: int, pitch_range: int
    ) -> tuple[np.ndarray, int, list[tuple[int, int]]]:
        """Samples, their rate, and (first sample, position in the text) of each word.

        `rate` is in words a minute, `pitch` and `pitch_range` are 0 to 99. The library
        is loaded afresh each time and both its random states are set (it seeds one with
        the clock): otherwise a clip's bytes would depend on the clips before it.
        """
        library = ctypes.CDLL(self._path)
        ctypes.CDLL(None).srand(1)
        try:
            return self._speak(library, sentence, voice, rate, pitch, pitch_range)
        finally:
            _ctypes.dlclose(library._handle)

    def check(self, voice: str) -> None:
        """Raise UserError unless this voice and its variant ("f2" of "nl+f2") exist.

        espeak-ng itself uses the plain voice where it does not have the variant.
        """
        self.speak("a", voice, 180, 50, 50)
        variants = Path(os.fsdecode(self._data)) / "voices" / "!v"
        _, plus, variant = voice.partition("+")
        if plus and not (variants / variant).is_file():
            known = [path.name for path in variants.iterdir()]
            near = nearest(variant, known)
            raise UserError(f"espeak-ng has no variant '{variant}' of a voice{near}")

    def _speak(
        self,
        library: ctypes.CDLL,
        sentence: str,
        voice: str,
        rate: int,
        pitch: int,
        pitch_range: int,
    ) -> tuple[np.ndarray, int, list[tuple[int, int]]]:
        rate_hz = library.espeak_Initialize(AUDIO_OUTPUT_RETRIEVAL, 0, self._data, 0)
        if rate_hz <= 0:
            raise OSError(f"espeak-ng could not start with data at {self._data!r}")
        self._chunks, self._onsets = [], []
        library.espeak_SetSynthCallback(self._callback)
        library.espeak_ng_SetRandSeed(ctypes.c_long(1))
        if library.espeak_SetVoiceByName(voice.encode()) != 0:
            library.espeak_Terminate()  # without it the next start crashes
            raise UserError(f"espeak-ng has no voice '{voice}'")
        library.espeak_SetParameter(PARAMETER_RATE, rate, 0)
        library.espeak_SetParameter(PARAMETER_PITCH, pitch, 0)
        library.espeak_SetParameter(PARAMETER_RANGE, pitch_range, 0)
        text = sentence.encode()
        size = len(text) + 1
        library.espeak_Synth(text, size, 0, POS_CHARACTER, 0, CHARS_UTF8, None, None)
        library.espeak_Synchronize()
        library.espeak_Terminate()
        samples = np.concatenate(self._chunks).astype(np.float32) / 32768
        return samples, rate_hz, self._onsets

    def _receive(self, samples, num_samples, events) -> int:  # type: ignore[no-untyped-def]
        if samples and num_samples:
            chunk = np.ctypeslib.as_array(samples, shape=(num_samples,))
            self._chunks.append(chunk.copy())
        index = 0
        while events[index].type != EVENT_END_OF_LIST:
            if events[index].type == EVENT_WORD:
                event = events[index]
                self._onsets.append((event.sample, event.text_position))
            index += 1
        return 0
