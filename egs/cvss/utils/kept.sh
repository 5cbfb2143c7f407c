# shellcheck shell=bash
# Sourced by s2st.sh. s2st_pass_over: takes the stages out of script_names, from the first on,
# that have nothing to do, and prints what they say. One process asks all their commands
# (s2st_interleave/status/kept.py); run one by one, they would start thirty processes.
# For that a stage's script is run with commands that only say their words: whatever it does
# without $train_cmd, $decode_cmd, $cuda_cmd and s2st, it does then as well.

# s2st_say WORDS: a record for that process, in place of running the words.
s2st_say() { printf '%s\0' "$#" "$@" >&3; }

# s2st_commands COMMAND: says what a stage's script or function would run now, and at last that
# this is all. What it prints itself is left out.
s2st_commands() (
  set -e
  exec 3>&1 >/dev/null 2>&1
  s2st=(s2st_say "${s2st[@]}")
  train_cmd="s2st_say $train_cmd" cuda_cmd="s2st_say $cuda_cmd" decode_cmd="s2st_say $decode_cmd"
  s2st_beside() { "$@"; }
  use_shared() {
    local args="$1_args"
    if [[ -n ${!args} ]]; then exit 1; fi
    s2st_say promises "$2" "$1: shared, $2"
  }
  "$@"
  s2st_say end
)

# s2st_records: the stages, a heading and its commands each. Stage 1 asks programs that are
# not ours, and stage 10 makes its pages anew.
s2st_records() {
  local script number
  for script in "${script_names[@]}"; do
    number="$((10#${script%%_*}))"
    if ((number < 2 || number > 9)); then break; fi
    s2st_say stage "$(s2st_heading "$number" "${script#*_}")" 3>&1
    s2st_commands . "$S2ST/stages/$script.sh"
  done
}

# s2st_unless_kept FUNCTION: runs a function, unless all its commands have nothing to do.
s2st_unless_kept() {
  local told
  told="$(python -m s2st_interleave.status.kept < <(set -e; s2st_say stage "" 3>&1; s2st_commands "$1"))"
  if [[ $told == 1$'\n'* ]]; then echo "${told#*$'\n'}"; else "$1"; fi
}
s2st_pass_over() {
  local told count
  if [[ ! ${script_names[0]-} =~ ^0[2-9]_ ]]; then return; fi
  told="$(python -m s2st_interleave.status.kept < <(set -e; s2st_records))"
  count="${told%%$'\n'*}"
  if ((count)); then echo "${told#*$'\n'}"; fi
  script_names=("${script_names[@]:count}")
}
