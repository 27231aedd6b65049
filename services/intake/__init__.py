"""The intake: commands that arrive on Kafka, applied by the ledger and answered on Kafka."""
