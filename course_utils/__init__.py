"""The tested package behind *Learning to See Clouds*. Importing it is instant: every room is imported by name."""

__version__ = "0.1.0"
