"""Takes commands in, decides them in batches, and appends the outcomes in one go each."""
