"""Files in, samples out: downloads, patch datasets, splits."""
