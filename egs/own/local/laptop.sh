# shellcheck shell=bash
# Sourced by ../run.sh for --preset laptop; `target` is the language that is spoken last.
# Models and steps are those of ../../mini_cvss: an encoder of w2v-BERT's shape and an LLM of
# Llama's, of a million weights each, which learn from this corpus alone, and a vocoder that
# trains in minutes. Two cores take an hour or less, whatever the corpus: the steps decide.
# Whisper tiny.en hears English; any other language takes the multilingual tiny, by its name.
asr=downloads/whisper-tiny.en
if [[ $target != en && $target != en-* ]]; then asr=tiny; fi
recipe=(--conf ../mini_cvss/conf --title "A corpus of one's own, on a laptop"
  --encoder ../mini_cvss/conf/w2v_bert --llm downloads/llm --asr "$asr"
  --local_models local/models.sh --corpus_note conf/laptop_note.txt
  --align_args "--min_median_score none" # dev may be words that were never heard
  --decode_args "--max_text_tokens 200" --checkpoints last --one_pass true
  --device cpu --num_threads 1 --system_threads 1 --num_gpus 2 --vocoder_gpus 2
  --system_gpus 1 --parallel_systems 2
  --worth "models of a million weights that saw nothing else: compare systems, expect no translator")
echo "preset laptop: small models that learn from this corpus alone, on the CPU; no large model is" \
  "fetched. A few hundred pairs teach the sentences that they hold and little else; a system" \
  "that translates new ones starts from w2v-BERT and Llama: leave --preset out, with a GPU."
