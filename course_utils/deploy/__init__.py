"""A trained model outside Python: exported files, a golden patch, and a C and Fortran interface (chapter 15)."""
