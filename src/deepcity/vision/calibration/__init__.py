"""Where people stand: from pixels of a calibrated camera to metres on the ground, and heights."""
