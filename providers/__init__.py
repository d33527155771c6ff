"""Other people's APIs: translate, never decide."""
