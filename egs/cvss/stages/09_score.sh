# Stage 9: scores of toplines and systems, and the difference to the baseline.
# s2st_hear SPLIT: where there are several GPUs, each hears a share of what is not scored
# yet, so that topline and score find it in the cache; --score_args must come last and win.
s2st_hear() {
  local checkpoint system decode folders=() references=false
  if ((gpu_nj < 2)) || [[ $device == cpu ]] || { [[ $cmd_backend == local ]] && ((!gpus_here)); }; then
    return
  fi
  if [[ $toplines == true && ! -f $expdir/topline/$1/stage.json ]] && some_speak "$1"; then
    folders+=("$expdir/resynthesis/$1") references=true
  fi
  for checkpoint in "${checkpoint_names[@]}"; do
    for system in "${system_names[@]}"; do
      decode="$expdir/$system/greedy_$checkpoint/$1"
      if [[ ! -f $decode/score/stage.json && -f $decode/vocode/stage.json ]]; then
        folders+=("$decode/vocode")
      fi
    done
  done
  if ((${#folders[@]})); then
    $decode_cmd "${one_gpu[@]}" JOB=1:"$gpu_nj" "$log/recognise.$1.JOB.log" \
      "${s2st[@]}" recognise "${score[@]}" "${score_more[@]}" --side "$speaker" \
      --references "$references" --vocode_dir "${folders[*]}" --shard "JOB/$gpu_nj"
  fi
}
# test1k comes last: all that it wants was heard for test.
for split in "${larger_first[@]}"; do
  score=(--config "$conf/score.yaml" --data_dir "$datadir/$split" --asr "$asr"
    --nj "$nj" --device "$device" --asr_cache "$expdir/asr_cache" --overwrite "$overwrite")
  if [[ -n $utmos ]]; then
    score+=(--mos utmos --mos_weights "$utmos")
  fi
  s2st_hear "$split"
  if [[ $toplines == true ]] && some_speak "$split"; then
    s2st_beside $decode_cmd "${one_gpu[@]}" "$log/topline.$split.log" "${s2st[@]}" topline "${score[@]}" \
      --side "$speaker" --source "$asker" \
      --vocode_dir "$expdir/resynthesis/$split" --out_dir "$expdir/topline/$split" \
      --llm "$llm" --cascade_prompt "$cascade_prompt" "${score_more[@]}"
  fi
  for checkpoint in "${checkpoint_names[@]}"; do
    for system in "${system_names[@]}"; do
      decode="$expdir/$system/greedy_$checkpoint/$split"
      s2st_beside $decode_cmd "${one_gpu[@]}" "$log/score.$system.$checkpoint.$split.log" "${s2st[@]}" score \
        "${score[@]}" --task "$task_file" \
        --train_dir "$trained/$system" --decode_dir "$decode" \
        --vocode_dir "$decode/vocode" --out_dir "$decode/score" "${score_more[@]}"
    done
  done
  s2st_wait
  choose_baseline
  for checkpoint in "${checkpoint_names[@]}"; do
    for system in "${system_names[@]}"; do
      if [[ $system != "$baseline" ]]; then
        s2st_beside s2st_light "$log/compare.$system.$checkpoint.$split.log" \
          "${s2st[@]}" compare --data_dir "$datadir/$split" \
          --system_dir "$expdir/$system/greedy_$checkpoint/$split" \
          --baseline_dir "$expdir/$baseline/greedy_$checkpoint/$split" \
          --overwrite "$overwrite" "${compare_more[@]}"
      fi
    done
  done
  s2st_wait
done
