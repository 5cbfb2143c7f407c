# shellcheck shell=bash
# Sourced by egs/path.sh. Sets up the machine if need be and puts the environment's
# python first. An active environment in which the package is installed is used as it
# is; $S2ST_VENV names another than .venv.

_s2st_tools="$(CDPATH='' cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd -P)"
if ! _s2st_env="$(bash "$_s2st_tools/setup.sh" --quiet)"; then
  echo "activate: the environment is not ready, see the message above" >&2
  unset _s2st_tools _s2st_env
  return 1
fi

# Not through bin/activate: before Python 3.13 it breaks on quotes in the path.
if [[ "$(command -v python)" != "$_s2st_env/bin/python" ]]; then
  PATH="$_s2st_env/bin:$PATH"
  export PATH
  hash -r
fi
if [[ -f $_s2st_env/pyvenv.cfg ]]; then
  export VIRTUAL_ENV="$_s2st_env"
  unset PYTHONHOME
fi
# For egs/cmd.sh.
S2ST_ROOT="${_s2st_tools%/*}"
export S2ST_ROOT
unset _s2st_tools _s2st_env

# Idle OpenMP threads sleep, and numpy keeps to one: spinning ones make a shared
# machine 5 times slower.
export OMP_WAIT_POLICY=passive OPENBLAS_NUM_THREADS=1
# The same order of sets and of sorted lines on every machine.
export PYTHONHASHSEED=0 LC_ALL=C.UTF-8
# Workers are forked after the tokenizer was used: its own threads would deadlock.
export TOKENIZERS_PARALLELISM=false
