"""What a training that was asked to stop says to whoever started it."""

# Exit status: a checkpoint is written, the same command carries on from it.
EXIT_REQUEUE = 85
