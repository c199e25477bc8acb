"""The graph text as pairing needs it: edges, what a file stands for in it, and views."""
