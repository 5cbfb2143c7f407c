# Stage 7: source units -> transcript -> translation -> target units.
for split in "${test_names[@]}"; do
  for checkpoint in "${checkpoint_names[@]}"; do
    $decode_cmd --max-jobs-run "$parallel_systems" "$system_jobs" \
      "$log/decode.JOB.$checkpoint.$split.log" \
      "${s2st[@]}" decode --config "$conf/decode.yaml" --train_dir "$trained/JOB" \
      --checkpoint "$checkpoint" --dump_dir "$dumpdir/interleave/$split" \
      --out_dir "$expdir/JOB/greedy_$checkpoint/$split" --device "$device" \
      --num_threads "$system_threads" --overwrite "$overwrite" "${decode_more[@]}"
  done
done
