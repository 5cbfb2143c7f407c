# Stage 2: CTC fine-tuning of the speech encoder, all sides together.
if [[ $encoder_dir == "$expdir/encoder" ]]; then
  s2st_on "$num_gpus"
  $cuda_cmd "$log/encoder.log" "${s2st_train[@]}" encoder --config "$conf/encoder.yaml" \
    --encoder "$encoder" --out_dir "$encoder_dir" \
    --train_dir "$datadir/train" --dev_dir "$datadir/$valid_set" \
    --device "$device" --num_threads "$num_threads" --overwrite "$overwrite" \
    "${encoder_more[@]}"
else
  use_shared encoder "$encoder_dir" 1 2
fi
