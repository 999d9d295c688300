"""Drawings that explain one idea; each is used by the chapter that its module names."""
