# Stage 8: the vocoder, once per target voice; then speech of every system's units.
if [[ $vocoder_dir == "$expdir/vocoder" ]]; then
  s2st_on "$num_gpus"
  $cuda_cmd "$log/vocoder.log" "${s2st_train[@]}" vocoder --config "$conf/vocoder.yaml" \
    --data_dir "$datadir/train" --dev_data_dir "$datadir/$valid_set" \
    --units_dir "$dumpdir/units/train" --dev_units_dir "$dumpdir/units/$valid_set" \
    --language "$tgt_lang" --out_dir "$vocoder_dir" --device "$device" \
    --num_threads "$num_threads" --nj "$nj" --overwrite "$overwrite" $vocoder_args
else
  use_shared vocoder "$vocoder_dir" 8 8
fi

# vocode NAME UNITS OUT_DIR
vocode() {
  $decode_cmd "$log/vocode.$1.log" "${s2st[@]}" vocode --units "$2" --out_dir "$3" \
    --vocoder "$vocoder_dir" --device "$device" --nj "$nj" --num_threads 1 \
    --overwrite "$overwrite" $vocode_args
}
for split in $test_sets; do
  if [[ $toplines == true ]]; then
    vocode "resynthesis.$split" "$dumpdir/units/$split/units.$tgt_lang" \
      "$expdir/resynthesis/$split"
  fi
  for system in $systems; do
    for checkpoint in $checkpoints; do
      decode="$expdir/$system/greedy_$checkpoint/$split"
      units="$decode/units.tgt"
      if [[ ! -f $units.scp && -f $decode/units.scp ]]; then
        units="$decode/units" # of an earlier version
      elif [[ ! -f $units.scp && -f $decode/stage.json ]]; then
        echo "vocode: $system answers in text alone: $decode/text.*"
        continue
      fi
      vocode "$system.$checkpoint.$split" "$units" "$decode/vocode"
    done
  done
done
