"""What only a GPU can show, in pieces that each write one JSON: see gpu.sh."""
