"""One folder that translates speech: what a recipe trained, and nothing else."""
