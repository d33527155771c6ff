"""What works by itself: calls to suppliers, messages to people."""
