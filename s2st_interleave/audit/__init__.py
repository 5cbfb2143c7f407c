"""Whether a finished experiment still holds together: nothing lost, changed or left over."""
