"""Draws one utterance as the LLM reads it at a step: text, SVG or a page of HTML."""
