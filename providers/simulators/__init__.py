"""The suppliers' APIs, played from their own documents."""
