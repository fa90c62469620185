"""The speed claims, each a ratio against a peer in the same run; see README.md."""
