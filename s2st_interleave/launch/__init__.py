"""Jobs of a recipe, on this machine or through Slurm: one call form for both."""
