# shellcheck shell=bash
# Sourced by s2st.sh, and reads its options: fails before the first stage where an option
# names something that is not there, with what it may have meant.
# s2st_names FOLDERS: prints the names of the YAMLs in folders.
s2st_names() {
  local folder file
  for folder in "$@"; do
    for file in "$folder"/*.yaml; do
      if [[ -f $file ]]; then
        file="${file##*/}"
        echo "${file%.yaml}"
      fi
    done
  done
}
# s2st_runs NUMBER: whether this stage is among those that are asked for.
s2st_runs() { ((stage <= $1 && $1 <= stop_stage)); }
if [[ ! -d $conf ]]; then
  echo "${0##*/}: --conf $conf: no such folder (from $PWD)" >&2
  exit 1
fi
if [[ ! $preflight =~ ^(true|false|)$ ]]; then
  echo "${0##*/}: --preflight takes true or false, not '$preflight'" >&2
  exit 1
fi
if [[ ! -f $task_file ]]; then
  mapfile -t names < <(s2st_names "$conf/tasks" "$S2ST/conf/tasks" | sort -u)
  s2st_one_of task "$task" "${names[@]}"
fi
python -m s2st_interleave.stages.task_sides "$task_file" "${roles[@]}"
for name in "${checkpoint_names[@]}"; do s2st_one_of checkpoints "$name" last best; done
names=(train dev test test1k) # of all corpora; and what there is
for name in "$datadir"/*/ "$dumpdir"/interleave/*/; do
  name="${name%/}" name="${name##*/}"
  if [[ $name != '*' && " ${names[*]} " != *" $name "* ]]; then names+=("$name"); fi
done
for name in "${test_names[@]}"; do s2st_one_of test_sets "$name" "${names[@]}"; done
if [[ -n $valid_set ]]; then s2st_one_of valid_set "$valid_set" "${names[@]}"; fi
if s2st_runs 6; then
  mapfile -t names < <(s2st_names "$conf/systems")
  for name in "${system_names[@]}"; do s2st_one_of systems "$name" "${names[@]}"; done
  if ((${#system_names[@]} == 0)); then
    echo "${0##*/}: --systems is empty, and stage 6 trains one at least" >&2
    exit 1
  fi
fi
if s2st_runs 9 && ((${#system_names[@]})) && [[ ! -d $expdir/$baseline ]]; then
  s2st_one_of baseline "$baseline" "${system_names[@]}"
fi
