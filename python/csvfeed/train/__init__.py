"""How each trainer takes the batches of a dataset."""
