"""The conversation, once for all channels: no I/O, no SDK."""
