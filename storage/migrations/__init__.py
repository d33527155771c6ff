"""One per change, numbered; what only one database understands is in a file of its name beside."""
