# shellcheck shell=bash
# Sourced by pair.sh for --quick true: a first run of minutes, by the full run's stages and
# options but for what stands here and in ../conf/quick. All that it makes is below ./quick,
# so that neither run finds anything of the other; the recogniser is the same.
export MINI_CORPUS="--meanings ../conf/quick/meanings.yaml --num_train 400 --num_dev 16 \
--num_test 32 --num_text 1200 ${MINI_CORPUS:-}"
export MINI_LLM="--config ../conf/quick/text_llm.yaml ${MINI_LLM:-}"
recipe+=(--title "mini CVSS, $src-en, quick: a first look at the chain"
  --worth "made speech of forty words: shows the chain, not the method: for that leave --quick out"
  --corpus_note ../conf/quick/corpus_note.txt --checkpoints last --toplines false
  --encoder_args "--config ../conf/quick/encoder.yaml"
  --kmeans_args "--config ../conf/quick/kmeans.yaml"
  --score_args "--mos none"
  --train_args "--config ../conf/quick/train.yaml"
  --vocoder_args "--config ../conf/quick/vocoder.yaml")
