# Stage 1: the corpus as distributed -> data/<split>, 16 kHz audio.
if [[ -n $local_data ]]; then
  S2ST_OVERWRITE="$overwrite" "$local_data"
fi
if [[ -n $tsv ]]; then
  data=(own --tsv "$tsv")
else
  for name in common_voice covost cvss; do
    if [[ -z ${!name} ]]; then
      echo "$0: --$name is not set; egs/cvss/db.sh says where CVSS lies, --tsv where a" \
        "corpus of your own does" >&2
      exit 1
    fi
  done
  data=(data --common_voice "$common_voice" --covost "$covost" --cvss "$cvss"
    --train_split "$train_split" --unpack_dir "$dumpdir/unpacked")
fi
if [[ -f $conf/data.yaml ]]; then data+=(--config "$conf/data.yaml"); fi
# test1k is a part of test, which stands in for it here.
mapfile -t data_splits < <(printf '%s\n' "${splits[@]/%test1k/test}" | sort -u)
s2st_tables() {
  local split
  for split in "${data_splits[@]}"; do
    $train_cmd "$log/data.$split.log" "${s2st[@]}" "${data[@]}" "${data_more[@]}" \
      --split "$split" "${spoken[@]}" --nj "$nj" \
      --data_dir "$datadir/$split" --audio_dir "$dumpdir/audio/$split" \
      --overwrite "$overwrite"
  done
  if [[ " ${splits[*]} " == *" test1k "* ]]; then
    s2st_light "$log/subset.log" "${s2st[@]}" subset --data_dir "$datadir/test" \
      --out_dir "$datadir/test1k" --overwrite "$overwrite"
  fi
}
# What is not there yet is not asked for: archives would be listed without a word.
all_made=true
for split in "${splits[@]}"; do
  if [[ ! -f $datadir/$split/stage.json ]]; then all_made=false; fi
done
if [[ $all_made == true ]]; then s2st_unless_kept s2st_tables; else s2st_tables; fi
# How much there is to learn from, and a warning where that is little. Then, in recipes
# without a network, the models that learn from this corpus alone.
python -m s2st_interleave.data.amount "$datadir/train"
if [[ -n $local_models ]]; then
  S2ST_OVERWRITE="$overwrite" "$local_models" "$datadir/train" "$datadir/$valid_set" "$llm" "$asr"
fi
