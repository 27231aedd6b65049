"""Trial balance: the accounts that every movement of money is booked between, and the journal."""
