#!/usr/bin/env bash
# Measures on one GPU what only a GPU can show: random weights of full size, made data, and
# no network but for the recipe's synthesisers and recogniser, where they are not there. Each
# piece is a process of its own under ten minutes, and writes one JSON; one that fails, lacks
# a package or takes too long says so in its JSON, and the others run.
#
#   benchmarks/gpu.sh [--only PIECE] [--size full|tiny] [--out DIR]
#
# PIECE: train, decode, whisper, speech, vocoder, devices, recipe. DIR: benchmarks/results/gpu.
# --size tiny is the same code with tiny shapes on the CPU: a rehearsal of some minutes.
# It takes the `python` that is active. benchmarks/README.md says which packages it wants;
# `python -m benchmarks.gpu.table --write` puts the figures there.
set -euo pipefail

only='' size=full out=''
while (($#)); do
  case "$1" in
    --only | --size | --out)
      if (($# < 2)); then
        echo "$0: $1 wants a value" >&2
        exit 2
      fi
      printf -v "${1#--}" '%s' "$2"
      shift 2
      ;;
    -h | --help)
      sed -n '2,13s/^# \{0,1\}//p' "${BASH_SOURCE[0]}"
      exit
      ;;
    *)
      echo "$0: unknown option $1; --help lists them" >&2
      exit 2
      ;;
  esac
done
if [[ $size != full && $size != tiny ]]; then
  echo "$0: --size takes full or tiny, not '$size'" >&2
  exit 2
fi
if [[ -n $out && $out != /* ]]; then out="$PWD/$out"; fi
cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.."
out="${out:-$PWD/benchmarks/results/gpu}"
export TOKENIZERS_PARALLELISM=false HF_HUB_OFFLINE=1
# One card: Trainer would spread its batches over all that it sees.
export CUDA_VISIBLE_DEVICES="${CUDA_VISIBLE_DEVICES:-0}"
CUDA_VISIBLE_DEVICES="${CUDA_VISIBLE_DEVICES%%,*}"
# Memory of batches of changing lengths falls apart less.
export PYTORCH_ALLOC_CONF=expandable_segments:True

pieces="$(python -m benchmarks.gpu --list)"
if [[ -n $only && $'\n'"$pieces" != *$'\n'"$only "* ]]; then
  echo "$0: no piece is called $only: $(cut -d' ' -f1 <<<"$pieces" | xargs)" >&2
  exit 2
fi
while read -r piece limit missing; do
  if [[ -n $only && $piece != "$only" ]]; then continue; fi
  if [[ $size == tiny ]]; then limit=1800; fi # a CPU may have other work
  echo "== $piece, at most $limit s${missing:+; it lacks: $missing}"
  timeout -k 10 "$limit" python -m benchmarks.gpu --piece "$piece" --size "$size" \
    --out "$out" </dev/null || echo "$piece: exit status $?; its JSON says what it had"
done <<<"$pieces"
python -m benchmarks.gpu.table --results "$out"
