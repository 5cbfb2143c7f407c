# Stage 11, off by default: --stage 11 --stop_stage 11 packs the last of --systems.
system="${system_names[-1]}"
decode="$expdir/$system/greedy_${checkpoint_names[-1]}/${test_names[0]}"
voice=()
if speaks "$decode"; then voice=(--vocoder "$vocoder_dir"); fi
of=()
if [[ -n $corpus_name ]]; then of+=(--corpus "$corpus_name"); fi
if [[ -n $corpus_note ]]; then of+=(--corpus_note "$corpus_note"); fi
"${s2st[@]}" pack --encoder "$encoder_dir" --kmeans "$kmeans_dir" \
  --units_dir "$dumpdir/units/train" --dump_dir "$dumpdir/interleave/train" \
  --train_dir "$trained/$system" --decode_dir "$decode" "${voice[@]}" "${of[@]}" \
  --overwrite "$overwrite" --out_dir "$expdir/pack/$system" "${pack_more[@]}"
