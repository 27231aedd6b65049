"""The HTTP shapes of the dialects, and the catalogue of the problems they answer with.

Shapes only: what a request means is decided elsewhere.
"""
