# Stage 6: every system from the same LLM, data, seed, batches and steps. What they share
# stands before a system's own file, which may make parts of it void: a baseline's schedule.
s2st_on "$system_gpus"
$(s2st_class llm_cmd) "${s2st_gpus[@]}" --max-jobs-run "$parallel_systems" \
  "$system_jobs" "$log/train.JOB.log" \
  "${s2st_train[@]}" train --config "$task_file" \
  --config "$conf/train.yaml" \
  --llm "$llm" --train_dir "$dumpdir/interleave/train" \
  --dev_dir "$dumpdir/interleave/$valid_set" --out_dir "$trained/JOB" \
  --device "$device" --num_threads "$system_threads" --overwrite "$overwrite" "${train_more[@]}" \
  --config "$conf/systems/JOB.yaml"
