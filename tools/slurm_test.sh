#!/usr/bin/env bash
# Runs the tests marked `slurm` against a real Slurm: starts one of its own on this
# machine (munged, slurmctld, a slurmd for each of two nodes; nothing of the system's),
# in a temporary folder, and ends and removes it. Two minutes.
#
#   tools/slurm_test.sh               all of them
#   tools/slurm_test.sh -k requeue    other pytest arguments work too
#
# Debian's slurmctld, slurmd, slurm-client and munge are installed where they are missing
# and that needs no password. The two GPUs that each node claims to have are /dev/zero
# and /dev/full: enough for Slurm to count them.
set -euo pipefail
case "${1:-}" in
  -h | --help)
    sed -n '2,/^set /{/^set /d;s/^# \{0,1\}//;p}' "${BASH_SOURCE[0]}"
    exit 0
    ;;
esac
cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.."

packages=(slurmctld slurmd slurm-client munge)
programs=(slurmctld slurmd sbatch srun munged)
PATH="$PATH:/usr/sbin:/sbin"

main() {
  install
  bash tools/setup.sh --dev --quiet >/dev/null
  . tools/activate.sh
  folder="$(mktemp -d)"
  trap stop EXIT
  trap 'exit 130' INT TERM
  start
  S2ST_TEST_SLURM="$folder" python -m pytest -q -m slurm tests/launch tests/reliability "$@"
}

say() { printf 'slurm_test: %s\n' "$*" >&2; }

is_installed() {
  local program
  for program in "${programs[@]}"; do
    command -v "$program" >/dev/null || return 1
  done
}

install() {
  local sudo=()
  if is_installed; then return; fi
  ((EUID == 0)) || sudo=(sudo -n)
  say "apt-get install ${packages[*]}"
  sudo+=(env DEBIAN_FRONTEND=noninteractive apt-get -qq)
  "${sudo[@]}" install -y --no-install-recommends "${packages[@]}" </dev/null >&2 ||
    { "${sudo[@]}" update >&2 && "${sudo[@]}" install -y \
      --no-install-recommends "${packages[@]}" </dev/null >&2; } || true
  if ! is_installed; then
    say "${programs[*]}: not all are there; type 'apt-get install ${packages[*]}' as root"
    exit 1
  fi
}

start() {
  # 1. Who is who: munged signs what the others say.
  mkdir "$folder/munge" "$folder/state"
  chmod 711 "$folder" "$folder/munge"
  (umask 077 && head -c 128 /dev/urandom >"$folder/munge/key")
  munged --socket="$folder/munge/socket" --key-file="$folder/munge/key" \
    --pid-file="$folder/munge.pid" --log-file="$folder/munge/log" \
    --seed-file="$folder/munge/seed"
  # 2. The controller and the nodes.
  write_conf
  export SLURM_CONF="$folder/slurm.conf"
  slurmctld -f "$SLURM_CONF"
  for node in n1 n2; do slurmd -N "$node" -f "$SLURM_CONF"; done
  for ((second = 0; second < 30; second++)); do
    [[ "$(sinfo --noheader --format=%T 2>/dev/null | sort -u)" != idle ]] || return 0
    sleep 1
  done
  say "the nodes did not come up:"
  tail -n 20 "$folder"/*.log >&2
  exit 1
}

write_conf() {
  local ports host me
  read -ra ports < <(free_ports)
  host="$(hostname -s)"
  me="$(id -un)"
  printf 'Name=gpu File=/dev/%s\n' zero full >"$folder/gres.conf"
  cat >"$folder/slurm.conf" <<CONF
ClusterName=test
SlurmctldHost=$host(127.0.0.1)
SlurmctldPort=${ports[0]}
SlurmUser=$me
SlurmdUser=$me
AuthType=auth/munge
AuthInfo=socket=$folder/munge/socket,cred_expire=5
StateSaveLocation=$folder/state
SlurmdSpoolDir=$folder/spool.%n
SlurmctldPidFile=$folder/slurmctld.pid
SlurmdPidFile=$folder/slurmd.%n.pid
SlurmctldLogFile=$folder/slurmctld.log
SlurmdLogFile=$folder/slurmd.%n.log
ProctrackType=proctrack/pgid
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
MpiDefault=none
ReturnToService=2
KillWait=10
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
SchedulerParameters=batch_sched_delay=0,sched_interval=2,bf_interval=2
PreemptType=preempt/partition_prio
PreemptMode=REQUEUE
SlurmdParameters=config_overrides
GresTypes=gpu
NodeName=n1 NodeHostname=$host NodeAddr=127.0.0.1 Port=${ports[1]} CPUs=4 RealMemory=4000 Gres=gpu:2
NodeName=n2 NodeHostname=$host-2 NodeAddr=127.0.0.1 Port=${ports[2]} CPUs=4 RealMemory=4000 Gres=gpu:2
PartitionName=normal Nodes=n1,n2 Default=YES PriorityTier=1
PartitionName=urgent Nodes=n1,n2 PriorityTier=2
CONF
}

free_ports() {
  python - <<'PYTHON'
import socket
sockets = [socket.create_server(("", 0)) for _ in range(3)]
print(*(s.getsockname()[1] for s in sockets))
PYTHON
}

stop() {
  local code=$? pid_file pids=()
  trap '' INT TERM
  scancel --user="$(id -un)" 2>/dev/null || true
  for ((second = 0; second < 15; second++)); do
    [[ -n "$(squeue --noheader 2>/dev/null)" ]] || break
    sleep 1
  done
  for pid_file in "$folder"/*.pid; do
    [[ ! -f $pid_file ]] || pids+=("$(<"$pid_file")")
  done
  ((${#pids[@]} == 0)) || kill "${pids[@]}" 2>/dev/null || true
  for ((second = 0; second < 10; second++)); do
    ((${#pids[@]})) && kill -0 "${pids[@]}" 2>/dev/null || break
    sleep 1
  done
  if ((code)); then tail -n 20 "$folder/slurmctld.log" >&2 || true; fi
  rm -rf "$folder"
  exit "$code"
}

main "$@"
