"""Corpora as distributed, Kaldi-style data directories, audio."""
