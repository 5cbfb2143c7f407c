# Stage 2: CTC fine-tuning of the speech encoder, all sides together. Before it, as long as a
# system is not trained, the preflight.
untrained=()
for system in "${system_names[@]}"; do
  if [[ ! -f $trained/$system/stage.json ]]; then untrained+=("$system"); fi
done
if ((${#untrained[@]})); then
  models=(--llm "$llm" --asr "$asr" --utmos "$utmos")
  if [[ ! -f $encoder_dir/stage.json ]]; then models+=(--encoder "$encoder"); fi
  # With = a single word that begins with -- is a value as well.
  s2st_preflight --task "$task_file" "${models[@]}" --languages "$languages" \
    --systems "${untrained[*]}" --out_dir "$trained" "--encoder_args=$encoder_args" \
    "--train_args=$train_args" "--decode_args=$decode_args" "--vocoder_args=$vocoder_args" \
    "--score_args=$score_args"
fi
if [[ $encoder_dir == "$expdir/encoder" ]]; then
  s2st_on "$num_gpus"
  s2st_encoder
else
  use_shared encoder "$encoder_dir" 1 2
fi
