"""Telegram: read an update, draw a view, send a notice."""
