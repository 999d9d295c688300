"""Programs that `torchrun` or a batch system starts: data-parallel training and the tuning challenge (chapter 14)."""
