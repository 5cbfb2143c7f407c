# Stage 7: source units -> transcript -> translation -> target units. Where jobs have GPUs of
# their own, or a queue deals them out, a split is cut over gpu_nj jobs; a queue gets all
# systems at once. Elsewhere a system is a job. Checkpoints come one after another, as the
# best is often the last: it then takes those answers.
# decoding_of SYSTEM: sets the array decoding to the command for this split and checkpoint.
decoding_of() {
  local out="$expdir/$1/greedy_$checkpoint"
  decoding=("${s2st[@]}" decode --config "$conf/decode.yaml" --train_dir "$trained/$1"
    --checkpoint "$checkpoint" --dump_dir "$dumpdir/interleave/$split"
    --out_dir "$out/$split" --device "$device"
    --num_threads "$system_threads" "${decode_more[@]}")
  answered_by "$expdir/$1" "$checkpoint" "$split"
  decoding+=("${answered[@]}")
}
for split in "${larger_first[@]}"; do
  for checkpoint in "${checkpoint_names[@]}"; do
    name="$checkpoint.$split"
    if ! s2st_is_cut; then
      decoding_of JOB
      $decode_cmd "${one_gpu[@]}" --max-jobs-run "$parallel_systems" "$system_jobs" \
        "$log/decode.JOB.$name.log" "${decoding[@]}" --overwrite "$overwrite"
      continue
    fi
    for system in "${system_names[@]}"; do
      decoding_of "$system"
      s2st_beside s2st_sharded "decode.$system.$name" "$expdir/$system/greedy_$checkpoint/$split" \
        "${decoding[@]}"
    done
    s2st_wait
  done
done
