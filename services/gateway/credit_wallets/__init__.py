"""The Credit Wallets API, under `/v1`."""
