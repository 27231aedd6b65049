"""Laws, tried on random histories."""
