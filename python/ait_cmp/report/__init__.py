"""What comes out: rows, verdicts, what looks wrong with the capture, and the files that hold it."""
