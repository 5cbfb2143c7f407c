#!/usr/bin/env bash
# The driver of every recipe: stages 1-11, each reading what the one before left on disk.
# A recipe's run.sh sets a pair and its conf, and calls this with "$@" last.
set -euo pipefail

stage=1            # first stage to run
stop_stage=10      # last stage to run
nj=2               # jobs and threads of stages on the CPU
gpu_nj=            # jobs of stages that are cut; default: the GPUs here, nj, in a queue 8 or more
src_lang=          # source language code
tgt_lang=en        # target language code
sides=             # sides of a --tsv, if not src and tgt: "user=en agent=en"
title="Speech-to-speech translation" # of the page of stage 10
datadir=data       # tables of stage 1
dumpdir=dump       # audio, words, units and dumps of stages 1 to 5
expdir=exp         # models, answers and scores
conf=conf          # folder with a YAML for each stage
common_voice=      # cv-corpus-4-2019-12-10/<src>; db.sh names the real one
covost=            # covost_v2.<src>_en.tsv
cvss=              # cvss_c_<src>_en_v1.0
tsv=               # table of your own corpus, in place of the three: see egs/own
local_data=        # program that makes or fetches the corpus in stage 1
local_models=      # program that makes models from it, told data/train, data/dev, llm, asr
train_split=standard # CoVoST's train; or extended, with train_covost
valid_set=dev      # split on which trainings are evaluated
test_sets=test     # splits that are answered and scored, "test test1k"
encoder=facebook/w2v-bert-2.0 # to fine-tune in stage 2
llm=meta-llama/Llama-3.2-1B   # to fine-tune in stage 6
task=s2st          # <conf>/tasks/<name>.yaml, or of egs/cvss: s2st_direct, s2tt, asr, tts
asr=large-v3                  # Whisper for ASR-BLEU: a name or a folder
utmos=             # weights of UTMOS, for the MOS column; see s2st_interleave/score/utmos.py
encoder_dir=       # a finished stage 2 of another recipe
kmeans_dir=        # a finished stage 4 (codebook) of another recipe
vocoder_dir=       # a finished stage 8 (vocoder) of another recipe
shared=            # program that makes these three in its stages 2, 4 and 8
systems="baseline scheduled" # conf/systems/<name>.yaml each
trained=           # folder of the systems, if another than expdir has trained them
baseline=          # the one that others are compared with; default: baseline, else the first
parallel_systems=  # systems that train and decode at once; default: as many as have GPUs
checkpoints="last best" # that are answered by and scored
one_pass=false     # stage 3 makes the units as well, in one pass of the encoder; k-means first
toplines=true      # score reference and resynthesis as well
cascade_prompt=    # asks the text LLM to translate {text}
num_gpus=          # GPUs of trainings (stages 2 and 6); default: all of this machine
system_gpus=       # GPUs of a system in stage 6; default: num_gpus over parallel_systems
vocoder_gpus=1     # GPUs of stage 8's training; more make it no faster
num_threads=0      # CPU threads of a training; 0: all
system_threads=0   # CPU threads of each system in stages 6 and 7; 0: all
device=auto        # cpu, cuda, cuda:1; auto: a GPU where there is one
preflight=         # try all that later stages need before stage 2; default: not on a CPU
overwrite=false    # make anew what was made with other options, and only that
corpus_note=       # file with what RESULTS.md and report.html say of the corpus
corpus_name=       # what the model card of stage 11 calls the corpus
results=           # the page of stage 10; default: <expdir>/RESULTS.md, which git ignores
worth=             # what a run's numbers are worth, said last
takes=             # how long a whole first run takes, said while none was timed here
command=./run.sh    # that RESULTS.md says it was made by
data_args=         # more options for the command of a stage, for example
align_args=        # --align_args "--max_drop_rate 0.1"
encoder_args=      # --encoder_args "--max_steps 50 --lr 1e-3"
kmeans_args=
dump_args=
train_args=
decode_args=
vocode_args=
compare_args=
vocoder_args=
score_args=
report_args=
pack_args=
help_message="Usage: ./run.sh [--stage 1] [--stop_stage 10] [--name value ...]
Options and their defaults are the first lines of egs/cvss/s2st.sh. The stages:"
more_help() { # --help prints this below the usage
  PYTHONPATH="$S2ST/../.." python3 -m s2st_interleave.stage_list # needs no environment
}

S2ST="$(CDPATH='' cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd -P)"
. "$S2ST/utils/parse_options.sh"
. "$S2ST/utils/environment.sh"
. "$S2ST/utils/training.sh"
. "$S2ST/utils/talk.sh"
. "$S2ST/utils/kept.sh"
s2st_split named "$sides"
if ((${#named[@]})); then
  python -m s2st_interleave.data.sides "${named[@]}"
  src_lang="${named[0]#*=}" tgt_lang="${named[-1]#*=}"
  spoken=(--sides "$sides")
elif [[ -z $src_lang ]]; then
  echo "$0: --src_lang is not set: the language of the source speech, such as de" >&2
  exit 1
else
  spoken=(--src_lang "$src_lang" --tgt_lang "$tgt_lang")
  named=("src=$src_lang" "tgt=$tgt_lang")
fi
s2st_languages "$src_lang" "$tgt_lang"
s2st_split test_names "$test_sets"
splits=(train ${valid_set:+"$valid_set"} "${test_names[@]}")
s2st_split system_names "$systems"
systems="${system_names[*]}" # one space between names
s2st_share_gpus "${#system_names[@]}"
s2st_on "$num_gpus" # fails at once where it cannot be
s2st_split checkpoint_names "$checkpoints"
for name in data align encoder kmeans dump train decode vocode vocoder score compare report pack; do
  args="${name}_args"
  s2st_split "${name}_more" "${!args}"
done
task_file="$conf/tasks/$task.yaml"
if [[ ! -f $task_file ]]; then task_file="$S2ST/conf/tasks/$task.yaml"; fi
. "$S2ST/utils/checks.sh"
encoder_dir="${encoder_dir:-$expdir/encoder}"
kmeans_dir="${kmeans_dir:-$expdir/kmeans}"
vocoder_dir="${vocoder_dir:-$expdir/vocoder}"
trained="${trained:-$expdir}"
. "$S2ST/utils/answers.sh"
log="$expdir/log"
results="${results:-$expdir/RESULTS.md}"
# For the trainings of stages 2, 4 and 8: see utils/training.sh.
train_dirs=("$datadir/train") dev_dirs=("$datadir/$valid_set")
train_units=("$dumpdir/units/train") dev_units=("$dumpdir/units/$valid_set")
training_options=(--device "$device" --num_threads "$num_threads" --overwrite "$overwrite")

# JOB=a,b: one job for each system.
system_jobs="JOB=${systems// /,}"

# use_shared NAME DIR FIRST LAST: says that DIR is shared, and unless it is whole makes it by
# these stages of the program $shared. Options of a shared model are refused: they are for
# the recipe that makes it.
use_shared() {
  local args="$1_args"
  if [[ -n ${!args} ]]; then
    echo "$0: --$args: $2 is shared, give it to the recipe that makes it" \
      "${shared:+($shared)}, or set --$1_dir $expdir/$1 for one of your own" >&2
    exit 1
  fi
  if ! python -m s2st_interleave.promises "$2"; then
    if [[ -z $shared ]]; then
      echo "$0: $1: $2 is shared, and is not finished or not whole: the recipe that it is of" \
        "makes it (in egs/mini_cvss: ../x_en/run.sh), or --$1_dir names another" >&2
      exit 1
    fi
    "$shared" --stage "$3" --stop_stage "$4" --preflight false --nj "$nj" --gpu_nj "$gpu_nj" \
      --device "$device" --num_gpus "$num_gpus" --train_split "$train_split" \
      --data_args "$data_args" --align_args "$align_args"
  fi
  echo "$1: shared, $2"
}

# use_kmeans: makes the codebook of stage 4, or takes the shared one.
use_kmeans() {
  if [[ $kmeans_dir == "$expdir/kmeans" ]]; then
    s2st_kmeans
  else
    use_shared kmeans "$kmeans_dir" 4 4
  fi
}

scripts="$(python -m s2st_interleave.stage_list --from "$stage" --to "$stop_stage")"
s2st_split script_names "$scripts"
s2st_plan
all_scripts=" ${script_names[*]} "
s2st_pass_over
while ((${#script_names[@]})); do
  script="${script_names[0]}" script_names=("${script_names[@]:1}") # 03_align
  s2st_heading "$((10#${script%%_*}))" "${script#*_}"
  . "$S2ST/stages/$script.sh"
  # Stage 1, and stage 2 while a system is to be trained, have always something to do.
  if [[ $script == 01_data || $script == 02_encoder ]]; then s2st_pass_over; fi
done
if [[ $all_scripts == *" 10_results "* ]] && ((${#system_names[@]})); then s2st_next; fi
