# shellcheck shell=bash
# Sourced after environment.sh.
# s2st: a command of the package. s2st_on N: sets s2st_train, the same for a training on N
# GPUs of this machine (or in N processes, on a CPU).
# s2st_languages CODES: fails where one is no code, or nothing is known of its language.
# s2st_split NAME TEXT: the array NAME of the words of TEXT; `*` stays what it is.
s2st=(python -m s2st_interleave)
s2st_languages() { python -m s2st_interleave.data.languages "$@"; }
s2st_split() { read -r -d '' -a "$1" <<<"$2" || true; }
s2st_on() {
  s2st_train=("${s2st[@]}")
  if (($1 > 1)) && [[ $cmd_backend != local ]]; then
    echo "$0: --num_gpus is for this machine; for $cmd_backend its configuration says it" >&2
    exit 1
  elif (($1 > 1)); then
    s2st_train=(python -m s2st_interleave.train.torchrun --standalone
      --nproc_per_node "$1" -m s2st_interleave)
  fi
}
