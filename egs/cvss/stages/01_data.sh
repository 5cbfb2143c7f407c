# Stage 1: the corpus as distributed -> data/<split>, 16 kHz audio.
if [[ -n $local_data ]]; then
  S2ST_OVERWRITE="$overwrite" "$local_data"
fi
for split in $splits; do
  $train_cmd "$log/data.$split.log" "${s2st[@]}" data $data_args \
    --common_voice "$common_voice" --covost "$covost" --cvss "$cvss" \
    --split "$split" --src_lang "$src_lang" --tgt_lang "$tgt_lang" \
    --train_split "$train_split" --nj "$nj" --overwrite "$overwrite" \
    --data_dir "$datadir/$split" --audio_dir "$dumpdir/audio/$split"
done
