# Stage 3: word times of every utterance, all sides; with one_pass the units of stage 4 as
# well, after the codebook that they are of.
if [[ $one_pass == true ]]; then use_kmeans; fi
for split in "${splits[@]}"; do
  out="$dumpdir/align/$split"
  drop=false # evaluation data loses nothing
  if [[ $split == train ]]; then drop=true; fi
  align=("${s2st[@]}" align --data_dir "$datadir/$split" --encoder "$encoder_dir"
    --out_dir "$out" --drop "$drop" --device "$device" --num_threads 1)
  if [[ $one_pass == true ]]; then
    align+=(--kmeans "$kmeans_dir" --units_dir "$dumpdir/units/$split")
  fi
  for name in encoding align; do
    if [[ -f $conf/$name.yaml ]]; then align+=(--config "$conf/$name.yaml"); fi
  done
  s2st_beside s2st_sharded "align.$split" "$out" "${align[@]}" "${align_more[@]}"
done
s2st_wait
