# Stage 11, off by default: --stage 11 --stop_stage 11 packs the last of --systems.
system="${systems##* }"
decode="$expdir/$system/greedy_${checkpoints##* }/${test_sets%% *}"
"${s2st[@]}" pack --encoder "$encoder_dir" --kmeans "$kmeans_dir" \
  --units_dir "$dumpdir/units/train" --dump_dir "$dumpdir/interleave/train" \
  --train_dir "$trained/$system" --decode_dir "$decode" --vocoder "$vocoder_dir" \
  --src_lang "$src_lang" --tgt_lang "$tgt_lang" --overwrite "$overwrite" \
  --out_dir "$expdir/pack/$system" "${pack_more[@]}"
