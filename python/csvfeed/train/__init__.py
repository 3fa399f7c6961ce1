"""How each trainer gets the batches of a dataset, through the protocol in `feed`."""
