"""A grid of trainings, cell by cell, and the page that decides the paper's claims by rule."""
