# Stage 4: one codebook for all sides, then the units of every utterance.
use_kmeans
for split in "${splits[@]}"; do
  out="$dumpdir/units/$split"
  units=("${s2st[@]}" units --data_dir "$datadir/$split" --encoder "$encoder_dir"
    --kmeans "$kmeans_dir" --out_dir "$out"
    --device "$device" --num_threads 1)
  if [[ -f $conf/encoding.yaml ]]; then units+=(--config "$conf/encoding.yaml"); fi
  "${units[@]}" --shard "0/$gpu_nj" --overwrite "$overwrite"
  if [[ ! -f $out/stage.json ]]; then
    $decode_cmd JOB=1:"$gpu_nj" \
      "$log/units.$split.JOB.log" "${units[@]}" --shard "JOB/$gpu_nj"
    "${units[@]}"
  fi
done
