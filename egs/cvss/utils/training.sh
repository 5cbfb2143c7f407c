# shellcheck shell=bash
# Sourced after environment.sh. What the drivers of recipes share:
# s2st: the words that start a command of the package.
# s2st_share_gpus SYSTEMS: sets what is empty of num_gpus, gpu_nj, system_gpus and
# parallel_systems for this number of systems, from the GPUs that are there; sets
# one_gpu, the words with which $decode_cmd gives each job a GPU of its own.
# s2st_on N: sets s2st_train, the words that start a training on N GPUs of this machine (or
# in N processes on a CPU), and s2st_gpus, those with which $cuda_cmd gives it its GPUs.
# s2st_light LOG COMMAND: runs what is short: here, or elsewhere through the queue.
# s2st_beside COMMAND: runs it; where jobs are queued, beside others, up to s2st_wait, which
# fails if one of them has failed. They end with the driver (s2st_end).
# s2st_sharded NAME OUT COMMAND: opens the stage's folder OUT, computes its parts in gpu_nj
# jobs, and merges them.
# s2st_is_cut: whether jobs have GPUs of their own, or a queue deals them out, so that test
# sets are cut as well.
# s2st_languages CODES: fails where one is no code, or nothing is known of its language.
# s2st_split NAME TEXT: sets the array NAME to the words of TEXT; `*` stays what it is.
# s2st_encoder, s2st_kmeans, s2st_vocoder: the trainings of stages 2, 4 and 8, of one pair or
# of several. Their arguments are more options; the driver sets the folders that they read
# (train_dirs, dev_dirs, train_units, dev_units: arrays) and write (encoder_dir, kmeans_dir,
# vocoder_dir, log), the folder of their YAMLs (conf), the model to fine-tune (encoder), nj,
# training_options (device, threads, overwrite), and the arrays encoder_more, kmeans_more
# and vocoder_more, whose options come last and win.
# s2st_preflight: a second of noise through all that later stages need, in a job such as
# theirs, by $preflight; its arguments name the models. A CPU lacks none of it, and a
# miniature would take longer.
# s2st_class CLASS: prints $cuda_cmd for the trainings of one stage, a class of slurm.yaml.
QUEUED_NJ=8 # jobs of a stage that is cut, where nobody says how many GPUs a queue has
s2st=(python -m s2st_interleave) gpus_here=0 one_gpu=() s2st_gpus=()
s2st_class() { echo "${cuda_cmd/%--resources cuda_cmd/--resources $1}"; }
s2st_languages() { python -m s2st_interleave.data.languages "$@"; }
s2st_split() { read -r -d '' -a "$1" <<<"$2" || true; }
# s2st_grid: fails unless --grid is the name of a folder here that has a grid.yaml. Another way
# to write it would be another grid to what asks for its name.
s2st_grid() {
  grid="${grid%/}"
  if [[ $grid == */* || ! -f $grid/grid.yaml ]]; then
    echo "${0##*/}: --grid takes the name of a folder in $PWD with a grid.yaml, not '$grid'" >&2
    exit 1
  fi
}
# s2st_count NAME: fails unless the option is a whole number of 1 or more.
s2st_count() {
  if [[ ! ${!1} =~ ^[1-9][0-9]*$ ]]; then
    echo "${0##*/}: --$1 takes a whole number of 1 or more, not '${!1}'" >&2
    exit 1
  fi
}
# s2st_device: fails unless --device is the name of one.
s2st_device() {
  local hint=''
  if [[ ! $device =~ ^(auto|cpu|mps|cuda(:[0-9]+)?)$ ]]; then
    if [[ ${device,,} == *gpu* || ${device,,} == *cuda* ]]; then hint="; did you mean cuda?"; fi
    echo "${0##*/}: --device takes auto, cpu, cuda or cuda:1, not '$device'$hint" >&2
    exit 1
  fi
}
# s2st_one_of OPTION VALUE NAMES: fails unless the value is one of the names.
s2st_one_of() {
  if [[ " ${*:3} " != *" $2 "* ]]; then
    local near='import sys; from s2st_interleave.config import nearest as n; print(n(sys.argv[1], sys.argv[2:]))'
    near="$(python -c "$near" "${@:2}")"
    echo "${0##*/}: --$1: there is no '$2'${near:-; there are: ${*:3}}" >&2
    exit 1
  fi
}
s2st_share_gpus() {
  gpus_here=0
  s2st_count nj
  s2st_device
  if [[ $cmd_backend == local && ($device == auto || $device == cuda) ]]; then
    gpus_here="$(python -m s2st_interleave.launch.gpus)"
  fi
  # Before a corpus is made. A page or a plan needs none, and a container may lack nvidia-smi.
  if [[ $cmd_backend == local && $device == cuda* && $gpus_here == 0 ]] &&
    ((${stage:-1} < 10)) && [[ ${page:-} != true && ${plan:-} != true ]] &&
    ! python -c 'import sys, torch; sys.exit(not torch.cuda.is_available())'; then
    echo "${0##*/}: --device $device: this machine has no GPU that PyTorch can use" >&2
    exit 1
  fi
  one_gpu=()
  if ((gpus_here)); then one_gpu=(--gpu 1); fi
  num_gpus="${num_gpus:-$((gpus_here > 1 ? gpus_here : 1))}"
  s2st_count num_gpus
  if [[ -z $gpu_nj && $cmd_backend != local ]]; then
    gpu_nj=$((nj > QUEUED_NJ ? nj : QUEUED_NJ))
  fi
  gpu_nj="${gpu_nj:-$((gpus_here ? gpus_here : nj))}"
  s2st_count gpu_nj
  if [[ -n $system_gpus ]]; then s2st_count system_gpus; fi
  if [[ -z $parallel_systems && $cmd_backend != local ]]; then
    parallel_systems=0 # the queue decides
  elif [[ -z $parallel_systems ]]; then
    parallel_systems=1
    if ((gpus_here)); then parallel_systems=$((num_gpus / ${system_gpus:-1})); fi
    if ((parallel_systems > $1)); then parallel_systems=$1; fi
    if ((parallel_systems < 1)); then parallel_systems=1; fi
  elif [[ ! $parallel_systems =~ ^[0-9]+$ ]]; then
    echo "${0##*/}: --parallel_systems takes a whole number, not '$parallel_systems'" >&2
    exit 1
  fi
  if [[ -z $system_gpus ]]; then
    system_gpus="$num_gpus"
    if ((gpus_here && parallel_systems > 1)); then
      system_gpus=$((num_gpus / parallel_systems > 1 ? num_gpus / parallel_systems : 1))
    fi
  fi
}
s2st_on() {
  s2st_train=("${s2st[@]}") s2st_gpus=()
  if (($1 > 1)) && [[ $cmd_backend != local ]]; then
    echo "${0##*/}: --num_gpus is for this machine; for $cmd_backend its configuration says it" >&2
    exit 1
  fi
  if ((gpus_here)); then s2st_gpus=(--gpu "$1"); fi
  if (($1 > 1)); then
    s2st_train=(python -m s2st_interleave.train.torchrun --if_unfinished --standalone
      --nproc_per_node "$1" -m s2st_interleave)
  fi
}
s2st_light() {
  if [[ $cmd_backend == local ]]; then "${@:2}"; else $train_cmd "$@"; fi
}
s2st_running=()
s2st_beside() {
  if [[ $cmd_backend == local ]]; then
    "$@"
  else
    # A background script does not hear Ctrl-C: it would go on to its next job.
    trap 's2st_end' EXIT
    trap 'exit 130' INT
    trap 'exit 143' TERM
    "$@" &
    s2st_running+=("$!")
  fi
}
s2st_end() { if ((${#s2st_running[@]})); then kill "${s2st_running[@]}" 2>/dev/null || true; fi; }
s2st_wait() {
  local pid status=0
  for pid in "${s2st_running[@]}"; do wait "$pid" || status=1; done
  s2st_running=()
  return "$status"
}
s2st_is_cut() { ((gpu_nj > 1)) && [[ $cmd_backend != local || -n ${one_gpu[*]-} ]]; }
s2st_sharded() {
  local name="$1" out="$2" command=("${@:3}")
  s2st_light "$log/$name.open.log" "${command[@]}" --shard "0/$gpu_nj" --overwrite "$overwrite"
  if [[ ! -f $out/stage.json ]]; then
    $decode_cmd "${one_gpu[@]}" JOB=1:"$gpu_nj" "$log/$name.JOB.log" \
      "${command[@]}" --shard "JOB/$gpu_nj"
    s2st_light "$log/$name.log" "${command[@]}"
  fi
}
s2st_preflight() {
  if [[ ${preflight:-$([[ $device == cpu ]] || echo true)} != true ]]; then return; fi
  $decode_cmd "${s2st_gpus[@]}" "$log/preflight.log" "${s2st[@]}" preflight --conf "$conf" \
    --num_gpus "$num_gpus" --device "$device" "$@"
}
s2st_encoder() {
  $(s2st_class encoder_cmd) "${s2st_gpus[@]}" "$log/encoder.log" \
    "${s2st_train[@]}" encoder --config "$conf/encoder.yaml" \
    --encoder "$encoder" --train_dir "${train_dirs[*]}" --dev_dir "${dev_dirs[*]}" \
    --out_dir "$encoder_dir" "$@" "${training_options[@]}" "${encoder_more[@]}"
}
s2st_kmeans() {
  $decode_cmd "${one_gpu[@]}" "$log/kmeans.log" "${s2st[@]}" kmeans --config "$conf/kmeans.yaml" \
    --data_dir "${train_dirs[*]}" --encoder "$encoder_dir" --out_dir "$kmeans_dir" \
    "$@" "${training_options[@]}" "${kmeans_more[@]}"
}
s2st_vocoder() {
  $(s2st_class vocoder_cmd) "${s2st_gpus[@]}" "$log/vocoder.log" \
    "${s2st_train[@]}" vocoder --config "$conf/vocoder.yaml" \
    --data_dir "${train_dirs[*]}" --dev_data_dir "${dev_dirs[*]}" \
    --units_dir "${train_units[*]}" --dev_units_dir "${dev_units[*]}" \
    --out_dir "$vocoder_dir" --nj "$nj" "$@" "${training_options[@]}" "${vocoder_more[@]}"
}
