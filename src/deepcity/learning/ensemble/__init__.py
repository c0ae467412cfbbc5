"""One forecast from several experts, with weights that follow their errors."""
