"""From units back to speech."""
