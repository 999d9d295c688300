"""The cloud-mask challenge: fixed data, withheld labels, a compute budget, marks (chapter 17)."""
