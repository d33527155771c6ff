"""The HTTP side: receive, prove, write down, answer."""
