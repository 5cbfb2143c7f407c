# Stage 5: units, words and unit spans; no text ratio in it. What is too long for the LLM, in
# the blocks of the task, is dropped from train; of dev and test it is an error, unless
# --dump_args "--too_long missing".
for split in "${splits[@]}"; do
  dump=("${s2st[@]}" dump --config "$task_file" --align_dir "$dumpdir/align/$split"
    --units_dir "$dumpdir/units/$split" --out_dir "$dumpdir/interleave/$split"
    --overwrite "$overwrite" "${dump_more[@]}")
  if [[ -n $llm ]]; then dump+=(--llm "$llm"); fi
  if [[ $split == train ]]; then dump+=(--too_long drop); fi
  s2st_beside s2st_light "$log/dump.$split.log" "${dump[@]}"
done
s2st_wait
