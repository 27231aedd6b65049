"""The vault: what seals personal data, and what makes it unreadable for ever.

It knows of customers only their ids. Nothing that it logs, raises or shows has a key or a
sealed content in it.
"""
