# How jobs are run: one call form for all, `<cmd> JOB=1:<nj> <log> <command>`.
# train_cmd: work of the CPU; decode_cmd: for one GPU, or cut by JOB; cuda_cmd: trainings.
# Backends: local (this machine), slurm (sbatch; what each cmd asks for is in slurm.yaml).
# All recipes source this file; one that runs its jobs in another way has a cmd.sh of its
# own, with all three, or with `. ../../cmd.sh` and the one that differs.
cmd_backend="${S2ST_BACKEND:-local}"
export S2ST_SLURM="${S2ST_SLURM:-$S2ST_ROOT/egs/cvss/conf/slurm.yaml}"
launch="python -m s2st_interleave launch --backend $cmd_backend --resources"
export train_cmd="$launch train_cmd" cuda_cmd="$launch cuda_cmd" decode_cmd="$launch decode_cmd"
