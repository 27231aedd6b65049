"""The books: accounts, their entries and the trial balance, as the gateway answers them."""
