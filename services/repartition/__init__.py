"""`ledger repartition`: fills a new events topic with what the relay is made of."""
