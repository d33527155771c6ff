"""The browser chat of the demo: a page, a socket, and a transcript that outlives both."""
