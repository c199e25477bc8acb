"""Every operator recomputed in numpy from its own dumped inputs: right or wrong, and why."""
