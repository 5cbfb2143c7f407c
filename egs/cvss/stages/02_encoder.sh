# Stage 2: CTC fine-tuning of the speech encoder, all sides together.
if [[ $encoder_dir == "$expdir/encoder" ]]; then
  s2st_on "$num_gpus"
  s2st_encoder
else
  use_shared encoder "$encoder_dir" 1 2
fi
