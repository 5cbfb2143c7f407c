"""What a training and the scheduler that may interrupt it agree on."""

# "I was asked to stop and saved a checkpoint: start me again, I go on from there."
EXIT_REQUEUE = 85
