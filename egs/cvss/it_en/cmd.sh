# How jobs are run: one call form for all, `<cmd> JOB=1:<nj> <log> <command>`.
# Backends: local (this machine).
cmd_backend=local
launch="python -m s2st_interleave launch"
export train_cmd="$launch" cuda_cmd="$launch" decode_cmd="$launch"
