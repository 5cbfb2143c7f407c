# Stage 9: scores of toplines and systems, and the difference to the baseline.
for split in "${test_names[@]}"; do
  score=(--config "$conf/score.yaml" --data_dir "$datadir/$split" --asr "$asr"
    --nj "$nj" --device "$device" --asr_cache "$expdir/asr_cache" --overwrite "$overwrite")
  if [[ -n $utmos ]]; then
    score+=(--mos utmos --mos_weights "$utmos")
  fi
  if [[ $toplines == true ]] && some_speak "$split"; then
    $decode_cmd "$log/topline.$split.log" "${s2st[@]}" topline "${score[@]}" \
      --side "$speaker" --source "${roles[0]}" \
      --vocode_dir "$expdir/resynthesis/$split" --out_dir "$expdir/topline/$split" \
      --llm "$llm" --cascade_prompt "$cascade_prompt" "${score_more[@]}"
  fi
  for checkpoint in "${checkpoint_names[@]}"; do
    for system in "${system_names[@]}"; do
      decode="$expdir/$system/greedy_$checkpoint/$split"
      $decode_cmd "$log/score.$system.$checkpoint.$split.log" "${s2st[@]}" score \
        "${score[@]}" --task "$task_file" \
        --train_dir "$trained/$system" --decode_dir "$decode" \
        --vocode_dir "$decode/vocode" --out_dir "$decode/score" "${score_more[@]}"
    done
    for system in "${system_names[@]}"; do
      if [[ $system != "$baseline" ]]; then
        "${s2st[@]}" compare --data_dir "$datadir/$split" \
          --system_dir "$expdir/$system/greedy_$checkpoint/$split" \
          --baseline_dir "$expdir/$baseline/greedy_$checkpoint/$split" \
          --overwrite "$overwrite" "${compare_more[@]}"
      fi
    done
  done
done
