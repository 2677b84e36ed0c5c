"""One training step of five networks, written for each library: what bench/steps.py times."""
