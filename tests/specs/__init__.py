"""Small languages in which the tests speak."""
