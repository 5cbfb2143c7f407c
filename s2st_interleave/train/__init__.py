"""The training loop and what the LLM is fed."""
