"""The LLM: loaded, extended by units, adapted, checked and saved."""
