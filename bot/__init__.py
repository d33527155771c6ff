"""The running shop: settings, conversation, channels, workers."""
