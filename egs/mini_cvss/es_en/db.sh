# Where the corpus lies: ../local/prepare.sh makes it there.
COMMON_VOICE=downloads/corpus/cv-corpus-4-2019-12-10/es
COVOST=downloads/corpus/covost_v2.es_en.tsv
CVSS=downloads/corpus/cvss_c_es_en_v1.0
