# Stage 3: word times of every utterance, all sides.
for split in "${splits[@]}"; do
  out="$dumpdir/align/$split"
  drop=false # evaluation data loses nothing
  if [[ $split == train ]]; then drop=true; fi
  align=("${s2st[@]}" align --data_dir "$datadir/$split" --encoder "$encoder_dir"
    --out_dir "$out" --drop "$drop" --device "$device" --num_threads 1)
  if [[ -f $conf/align.yaml ]]; then align+=(--config "$conf/align.yaml"); fi
  align+=("${align_more[@]}")
  "${align[@]}" --shard "0/$gpu_nj" --overwrite "$overwrite"
  if [[ ! -f $out/stage.json ]]; then
    $decode_cmd JOB=1:"$gpu_nj" \
      "$log/align.$split.JOB.log" "${align[@]}" --shard "JOB/$gpu_nj"
    "${align[@]}"
  fi
done
