"""What was made below a folder, what runs, and what is stale and why."""
