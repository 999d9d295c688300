"""Files in, samples out: downloads, patch datasets, splits."""

import warnings

# pooch asks tqdm for a notebook's progress bar; without ipywidgets tqdm warns and falls back to text, as wanted here.
warnings.filterwarnings("ignore", message="IProgress not found")
