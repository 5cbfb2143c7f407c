"""The exit status by which a training that was asked to stop wants to be started again."""

# A checkpoint is written; the same command carries on from it.
EXIT_REQUEUE = 85
