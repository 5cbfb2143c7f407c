"""Inference along the chain of thought."""
