"""The relay: publishes the log to Kafka, in order and complete."""
