"""Comparisons on the workers of a cluster: who sees which rank, each graph where its files are."""
