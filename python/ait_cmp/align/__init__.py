"""Which rank, graph and step of the dump under test meets which of the golden dump."""
