"""Simulated images with known truth: satellite scenes, and what they are made of."""
