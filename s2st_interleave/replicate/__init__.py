"""Runs a grid of trainings, cell by cell, and writes the page that judges the claims."""
