"""Who a customer is: the person, the port to those who verify, account numbers, tiers."""
