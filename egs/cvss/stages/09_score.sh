# Stage 9: scores of toplines and systems, and the difference to the baseline.
for split in $test_sets; do
  score=(--config "$conf/score.yaml" --data_dir "$datadir/$split" --asr "$asr"
    --src_lang "$src_lang" --tgt_lang "$tgt_lang" --nj "$nj" --device "$device"
    --asr_cache "$expdir/asr_cache" --overwrite "$overwrite")
  if [[ -n $utmos ]]; then
    score+=(--mos utmos --mos_weights "$utmos")
  fi
  # Stage 8 has left no speech of systems that answer in text: there is nothing to top.
  spoken=false
  for checkpoint in $checkpoints; do
    for system in $systems; do
      decode="$expdir/$system/greedy_$checkpoint/$split"
      if [[ -d $decode/vocode || ! -f $decode/stage.json ]]; then spoken=true; fi
    done
  done
  topline="$expdir/topline/$split"
  if [[ $toplines == true && $spoken == true ]]; then
    $decode_cmd "$log/topline.$split.log" "${s2st[@]}" topline "${score[@]}" \
      --vocode_dir "$expdir/resynthesis/$split" --out_dir "$topline" \
      --llm "$llm" --cascade_prompt "$cascade_prompt" $score_args
  fi
  for checkpoint in $checkpoints; do
    for system in $systems; do
      decode="$expdir/$system/greedy_$checkpoint/$split"
      $decode_cmd "$log/score.$system.$checkpoint.$split.log" "${s2st[@]}" score \
        "${score[@]}" --task "$S2ST/conf/tasks/$task.yaml" \
        --train_dir "$trained/$system" --decode_dir "$decode" \
        --vocode_dir "$decode/vocode" --out_dir "$decode/score" $score_args
    done
    for system in $systems; do
      if [[ $system != "$baseline" ]]; then
        "${s2st[@]}" compare --data_dir "$datadir/$split" --tgt_lang "$tgt_lang" \
          --system_dir "$expdir/$system/greedy_$checkpoint/$split" \
          --baseline_dir "$expdir/$baseline/greedy_$checkpoint/$split" \
          --overwrite "$overwrite" $compare_args
      fi
    done
  done
done
