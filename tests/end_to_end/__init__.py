"""Over HTTP and Kafka, with the processes that ./dev up starts."""
