# Stage 8: the vocoder, once per target voice; then speech of every system's units. Where
# all systems have answered in text alone there is nothing to make audible.
if ! some_speak "${test_names[@]}"; then
  echo "vocode: all systems answer in text alone: no vocoder is trained"
elif [[ $vocoder_dir == "$expdir/vocoder" ]]; then
  s2st_on "$vocoder_gpus"
  s2st_vocoder --side "$speaker"
else
  use_shared vocoder "$vocoder_dir" 8 8
fi

# vocode NAME UNITS_DIR OUT_DIR [--part_of DIR] [--same_as DIR]: gpu_nj jobs, as in stage 7;
# elsewhere one, of nj processes unless they would share a GPU.
vocode() {
  local words=("${s2st[@]}" vocode --units_dir "$2" --out_dir "$3" --side "$speaker"
    --vocoder "$vocoder_dir" --device "$device" --num_threads 1 "${@:4}")
  if s2st_is_cut; then
    s2st_sharded "vocode.$1" "$3" "${words[@]}" "${vocode_more[@]}"
    return
  fi
  if [[ $device == cpu ]] || { [[ $cmd_backend == local && $device != cuda* ]] && ((!gpus_here)); }; then
    words+=(--nj "$nj")
  fi
  $decode_cmd "${one_gpu[@]}" "$log/vocode.$1.log" "${words[@]}" --overwrite "$overwrite" \
    "${vocode_more[@]}"
}
for split in "${larger_first[@]}"; do
  if [[ $toplines == true ]] && some_speak "$split"; then
    answered=()
    if [[ $split == test1k ]]; then answered=(--part_of "$expdir/resynthesis/test"); fi
    s2st_beside vocode "resynthesis.$split" "$dumpdir/units/$split" "$expdir/resynthesis/$split" \
      "${answered[@]}"
  fi
  for checkpoint in "${checkpoint_names[@]}"; do
    for system in "${system_names[@]}"; do
      decode="$expdir/$system/greedy_$checkpoint/$split"
      if ! speaks "$decode"; then
        echo "vocode: $system answers in text alone: $decode/text.*"
        continue
      fi
      answered_by "$expdir/$system" "$checkpoint" "$split" /vocode
      s2st_beside vocode "$system.$checkpoint.$split" "$decode" "$decode/vocode" \
        "${answered[@]}"
    done
    s2st_wait
  done
  s2st_wait
done
