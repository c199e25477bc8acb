"""result.json: what the summary says as data, and what a picture of each divergence needs."""
