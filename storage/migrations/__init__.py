"""One per change, numbered; ``.sqlite.sql`` beside one holds what only SQLite understands."""
