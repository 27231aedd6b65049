"""Contract A, the Credit Wallets API, under `/v1`."""
