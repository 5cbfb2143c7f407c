# Stage 4: one codebook for all sides, then the units of every utterance.
if [[ $kmeans_dir == "$expdir/kmeans" ]]; then
  s2st_kmeans
else
  use_shared kmeans "$kmeans_dir" 4 4
fi
for split in "${splits[@]}"; do
  out="$dumpdir/units/$split"
  units=("${s2st[@]}" units --data_dir "$datadir/$split" --encoder "$encoder_dir"
    --kmeans "$kmeans_dir" --out_dir "$out"
    --device "$device" --num_threads 1)
  "${units[@]}" --shard "0/$gpu_nj" --overwrite "$overwrite"
  if [[ ! -f $out/stage.json ]]; then
    $decode_cmd JOB=1:"$gpu_nj" \
      "$log/units.$split.JOB.log" "${units[@]}" --shard "JOB/$gpu_nj"
    "${units[@]}"
  fi
done
