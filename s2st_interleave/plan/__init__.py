"""Plans a training: the tokens, memory, hours and disk that it will take."""
