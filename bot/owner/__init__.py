"""The owner's desk: what only the owner may see and decide."""
