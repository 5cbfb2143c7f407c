# Stage 8: the vocoder, once per target voice; then speech of every system's units.
if [[ $vocoder_dir == "$expdir/vocoder" ]]; then
  $cuda_cmd "$log/vocoder.log" "${s2st[@]}" vocoder --config "$conf/vocoder.yaml" \
    --data_dir "$datadir/train" --dev_data_dir "$datadir/$valid_set" \
    --units_dir "$dumpdir/units/train" --dev_units_dir "$dumpdir/units/$valid_set" \
    --language "$tgt_lang" --out_dir "$vocoder_dir" --device "$device" \
    --num_threads "$num_threads" --nj "$nj" --overwrite "$overwrite" $vocoder_args
else
  echo "vocoder: shared, $vocoder_dir"
fi
for split in $test_sets; do
  "${s2st[@]}" vocode --units "$dumpdir/units/$split/units.$tgt_lang" \
    --vocoder "$vocoder_dir" --out_dir "$vocoder_dir/resynthesis/$split" --nj "$nj" \
    --overwrite "$overwrite"
  for system in $systems; do
    for checkpoint in $checkpoints; do
      decode="$expdir/$system/greedy_$checkpoint/$split"
      "${s2st[@]}" vocode --units "$decode/units" --vocoder "$vocoder_dir" \
        --out_dir "$decode/vocode" --nj "$nj" --overwrite "$overwrite"
    done
  done
done
