"""The checkout: the pages on which a customer is asked for a top-up's payment."""
