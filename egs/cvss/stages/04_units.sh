# Stage 4: one codebook for all sides, then the units of every utterance.
use_kmeans
for split in "${splits[@]}"; do
  out="$dumpdir/units/$split"
  units=("${s2st[@]}" units --data_dir "$datadir/$split" --encoder "$encoder_dir"
    --kmeans "$kmeans_dir" --out_dir "$out"
    --device "$device" --num_threads 1)
  if [[ -f $conf/encoding.yaml ]]; then units+=(--config "$conf/encoding.yaml"); fi
  s2st_beside s2st_sharded "units.$split" "$out" "${units[@]}"
done
s2st_wait
