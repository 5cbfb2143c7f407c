"""Stage 9's functional core: recognise, normalise, score and render."""
