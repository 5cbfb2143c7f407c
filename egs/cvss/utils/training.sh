# shellcheck shell=bash
# Sourced after environment.sh. What the drivers of recipes share:
# s2st: the words that start a command of the package.
# s2st_on N: sets s2st_train, the words that start a training on N GPUs of this machine (or
# in N processes on a CPU).
# s2st_languages CODES: fails where one is no code, or nothing is known of its language.
# s2st_split NAME TEXT: sets the array NAME to the words of TEXT; `*` stays what it is.
# s2st_encoder, s2st_kmeans, s2st_vocoder: the trainings of stages 2, 4 and 8, of one pair or
# of several. Their arguments are more options; the driver sets the folders that they read
# (train_dirs, dev_dirs, train_units, dev_units: arrays) and write (encoder_dir, kmeans_dir,
# vocoder_dir, log), the folder of their YAMLs (conf), the model to fine-tune (encoder), nj,
# training_options (device, threads, overwrite), and the arrays encoder_more, kmeans_more
# and vocoder_more, whose options come last and win.
s2st=(python -m s2st_interleave)
s2st_languages() { python -m s2st_interleave.data.languages "$@"; }
s2st_split() { read -r -d '' -a "$1" <<<"$2" || true; }
s2st_on() {
  s2st_train=("${s2st[@]}")
  if (($1 > 1)) && [[ $cmd_backend != local ]]; then
    echo "$0: --num_gpus is for this machine; for $cmd_backend its configuration says it" >&2
    exit 1
  elif (($1 > 1)); then
    s2st_train=(python -m s2st_interleave.train.torchrun --standalone
      --nproc_per_node "$1" -m s2st_interleave)
  fi
}
s2st_encoder() {
  $cuda_cmd "$log/encoder.log" "${s2st_train[@]}" encoder --config "$conf/encoder.yaml" \
    --encoder "$encoder" --train_dir "${train_dirs[*]}" --dev_dir "${dev_dirs[*]}" \
    --out_dir "$encoder_dir" "$@" "${training_options[@]}" "${encoder_more[@]}"
}
s2st_kmeans() {
  $decode_cmd "$log/kmeans.log" "${s2st[@]}" kmeans --config "$conf/kmeans.yaml" \
    --data_dir "${train_dirs[*]}" --encoder "$encoder_dir" --out_dir "$kmeans_dir" \
    "$@" "${training_options[@]}" "${kmeans_more[@]}"
}
s2st_vocoder() {
  $cuda_cmd "$log/vocoder.log" "${s2st_train[@]}" vocoder --config "$conf/vocoder.yaml" \
    --data_dir "${train_dirs[*]}" --dev_data_dir "${dev_dirs[*]}" \
    --units_dir "${train_units[*]}" --dev_units_dir "${dev_units[*]}" \
    --out_dir "$vocoder_dir" --nj "$nj" "$@" "${training_options[@]}" "${vocoder_more[@]}"
}
