"""The CTC-fine-tuned speech encoder that units and alignments come from."""
