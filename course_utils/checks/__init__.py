"""One checker per exercise, one module per chapter."""
