# shellcheck shell=bash
# Where the corpora lie: three folders, with the files as they are distributed or
# unpacked. <src> is one of
#   fr de es ca it ru zh-CN pt fa et mn nl tr ar sv-SE lv sl ta ja id cy

# Common Voice VERSION 4 (cv-corpus-4-2019-12-10): <src>/ with validated.tsv and clips/,
# or <src>.tar.gz. From https://commonvoice.mozilla.org/datasets, by hand: there are terms
# to agree to. Other versions do not pair with CVSS.
COMMON_VOICE=

# CoVoST 2: covost_v2.<src>_en.tsv, or .tsv.tar.gz. The addresses are in
# https://github.com/facebookresearch/covost
COVOST=

# CVSS-C: cvss_c_<src>_en_v1.0/ or cvss_c_<src>_en_v1.0.tar.gz. The addresses are in
# https://github.com/google-research-datasets/cvss
CVSS=

# The languages that x_en learns from: those whose corpora are there. The paper's: all.
SOURCES="fr de es ca it ru zh-CN pt fa et mn nl tr ar sv-SE lv sl ta ja id cy"

# Models: a Hugging Face name, pinned to a revision, or a folder where there is no network.
# The paper's; the licence of Llama is accepted on its page. Without a GPU, faster-whisper
# hears: ASR=large-v3@edaa852ec7e145841d8ffdb056a99866b5f0a478
ENCODER=facebook/w2v-bert-2.0@da985ba0987f70aaeb84a80f2851cfac8c697a7b
LLM=meta-llama/Llama-3.2-1B@4e20de362430cd3b72f300e6b0f18e50e7166e08
ASR=openai/whisper-large-v3@06f233fe06e710322aca913c1bc4249a0d71fce1

# UTMOS, the paper's measure of speech quality: the file of weights that
# s2st_interleave/score/utmos.py names, checked by its hash. Empty: no MOS in the results.
UTMOS=
