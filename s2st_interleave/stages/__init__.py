"""One thin shell per numbered stage: options, inputs, outputs, one call."""
