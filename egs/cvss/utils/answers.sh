# shellcheck shell=bash
# Sourced by s2st.sh, and reads its options: about the decodes of stage 7. Sets baseline.
# larger_first: the splits of test_names in the order in which they are answered.
# answered_by SYSTEM CHECKPOINT SPLIT [/vocode]: sets the array answered to options that name
# other decodes, or their speech, from which may be copied.
# speaks DECODE, some_speak SPLITS: whether there is speech to be heard.
# choose_baseline: sets it where none is named; anew, once there are scores.

# test1k comes last, as test has its answers.
larger_first=()
for split in "${test_names[@]}"; do
  if [[ $split != test1k ]]; then larger_first+=("$split"); fi
done
if [[ " ${test_names[*]} " == *" test1k "* ]]; then larger_first+=(test1k); fi

# test has what test1k asks for, and the other checkpoint too, as the best is often the last.
answered_by() {
  local other=last
  if [[ $2 == last ]]; then other=best; fi
  answered=(--same_as "$1/greedy_$other/$3${4-}")
  if [[ $3 == test1k ]]; then answered+=(--part_of "$1/greedy_$2/test${4-}"); fi
}

# speaks DECODE: whether the system has answered with speech, or has not answered yet. An
# earlier version's units are those of the only side that it knew to speak.
speaks() {
  [[ ! -f $1/stage.json || -f $1/units.$speaker.scp || -f $1/units.scp ]]
}

# some_speak SPLITS: whether a system does on one of them, or nothing is to be decoded.
some_speak() {
  local split system checkpoint
  for split in "$@"; do
    for system in "${system_names[@]}"; do
      for checkpoint in "${checkpoint_names[@]}"; do
        if speaks "$expdir/$system/greedy_$checkpoint/$split"; then return 0; fi
      done
    done
  done
  (($# == 0 || ${#system_names[@]} == 0))
}

# choose_baseline: it is `baseline`, or the first system where that is not there, or has no
# score of what this one is scored by, as one of another task.
named_baseline="${baseline-}"
choose_baseline() {
  local first="${system_names[0]-}" tail="greedy_${checkpoint_names[0]-}/${test_names[0]-}" told
  baseline="${named_baseline:-baseline}"
  if [[ -n $named_baseline || -z $first || " ${system_names[*]} " == *" baseline "* ]]; then
    return
  fi
  if [[ ! -d $expdir/baseline ]]; then
    baseline="$first"
  elif [[ -f $expdir/baseline/$tail/score.json && -f $expdir/$first/$tail/score.json ]]; then
    told="$(python -m s2st_interleave.score.comparable "$expdir"/{"$first",baseline}/"$tail"/score.json)"
    if [[ -n $told ]]; then
      baseline="$first"
      echo "compare: $told"
    fi
  fi
}
choose_baseline
