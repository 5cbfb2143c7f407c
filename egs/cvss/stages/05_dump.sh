# Stage 5: units, words and unit spans; no text ratio in it.
for split in $splits; do
  "${s2st[@]}" dump --align_dir "$dumpdir/align/$split" --units_dir "$dumpdir/units/$split" \
    --src_lang "$src_lang" --tgt_lang "$tgt_lang" --overwrite "$overwrite" \
    --out_dir "$dumpdir/interleave/$split"
done
