"""The models of the scoreboard, one file per kind: threshold, then networks from the simplest to the U-Net."""
