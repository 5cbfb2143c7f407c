"""Discrete speech units."""
