# Stage 10: RESULTS.md, and the same table on the screen; a page for each test set. A report
# to hear and see lies in $expdir.
for split in "${test_names[@]}"; do
  page="$results" report="$expdir/report.html"
  if [[ $split != "${test_names[0]}" ]]; then
    page="${results%.md}.$split.md" report="$expdir/report.$split.html"
  fi
  page_of=(--title "$title" --src_lang "$src_lang" --exp_dir "$expdir" --split "$split"
    --systems "$systems" --baseline "$baseline"
    --decode_tags "${checkpoint_names[*]/#/greedy_}" --command "$command" --out "$page")
  if [[ $toplines == true ]]; then page_of+=(--topline_dir "$expdir/topline/$split"); fi
  noted=()
  if [[ -n $corpus_note ]]; then noted=(--corpus_note "$corpus_note"); fi
  "${s2st[@]}" results "${page_of[@]}" "${noted[@]}"
  "${s2st[@]}" report --title "$title" --exp_dir "$expdir" --trained "$trained" --data_dir "$datadir" \
    --dump_dir "$dumpdir" --split "$split" --systems "$systems" --baseline "$baseline" \
    --decode_tags "${checkpoint_names[*]/#/greedy_}" --encoder "$encoder_dir" \
    --out "$report" "${noted[@]}" "${report_more[@]}"
done
