"""Packs a recipe's trained models into one folder, which translates speech."""
