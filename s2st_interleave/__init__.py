"""Scheduled interleaved speech-text training for speech-to-speech translation."""

__version__ = "0.1.0"
