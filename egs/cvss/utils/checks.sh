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
# In the launcher's lines JOB stands for a job; an empty folder would be the disk's root.
for name in expdir dumpdir datadir conf; do
  if [[ -z ${!name} ]]; then
    echo "${0##*/}: --$name is empty, and wants a folder" >&2
    exit 1
  fi
done
for name in S2ST expdir dumpdir datadir conf llm encoder encoder_dir kmeans_dir vocoder_dir trained asr; do
  if [[ ${!name:-} == *JOB* ]]; then
    option="--$name"
    if [[ $name == S2ST ]]; then option="the recipes are in"; fi
    echo "${0##*/}: $option ${!name}: JOB stands for a job's name in commands; rename that folder" >&2
    exit 1
  fi
done
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
# The side whose speech the LLM makes, the one that it answers, and all languages, the
# speaker's last.
answer="$(python -m s2st_interleave.stages.task_sides "$task_file" "${named[@]}")"
read -r speaker asker languages <<<"$answer"
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
  if ((${#names[@]} == 0)); then
    echo "${0##*/}: --conf $conf has no systems/*.yaml: copy egs/cvss/conf, and change the copy" >&2
    exit 1
  fi
  for name in "${system_names[@]}"; do s2st_one_of systems "$name" "${names[@]}"; done
  if ((${#system_names[@]} == 0)); then
    echo "${0##*/}: --systems is empty, and stage 6 trains one at least" >&2
    exit 1
  fi
fi
# s2st_once OPTION NAME...: fails where a name occurs twice, and so where one job would
# write what another one writes.
s2st_once() {
  local option="$1" twice
  shift
  twice="$(printf '%s\n' "$@" | sort | uniq -d)"
  if [[ -n $twice ]]; then
    echo "${0##*/}: --$option names ${twice//$'\n'/ and } more than once" >&2
    exit 1
  fi
}
s2st_once systems "${system_names[@]}"
s2st_once checkpoints "${checkpoint_names[@]}"
s2st_once test_sets "${test_names[@]}"
if s2st_runs 7 || s2st_runs 10 || s2st_runs 11; then
  for name in system checkpoint test; do
    names="${name}_names[*]"
    if [[ -z ${!names} ]]; then
      option="${name/test/test_set}s"
      echo "${0##*/}: --$option is empty, and stages 7, 10 and 11 want one at least" >&2
      exit 1
    fi
  done
fi
if [[ -n $baseline && ! -d $expdir/$baseline ]] && s2st_runs 9 && ((${#system_names[@]})); then
  s2st_one_of baseline "$baseline" "${system_names[@]}"
fi
