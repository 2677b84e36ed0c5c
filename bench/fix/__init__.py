"""What is tried against overfitting, on what, and what came of it."""
