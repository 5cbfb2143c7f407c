"""Runs the jobs of a recipe on this machine or through Slurm, by the same command."""
