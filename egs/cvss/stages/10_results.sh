# Stage 10: RESULTS.md, and the same table on the screen.
for split in $test_sets; do
  decode_tags=
  for checkpoint in $checkpoints; do decode_tags+="greedy_$checkpoint "; done
  "${s2st[@]}" results --title "$title" --src_lang "$src_lang" --exp_dir "$expdir" \
    --topline_dir "$expdir/topline/$split" --split "$split" --systems "$systems" \
    --baseline "${systems%% *}" --decode_tags "$decode_tags" --mini "$mini" \
    --command "$command" --out "$results"
done
