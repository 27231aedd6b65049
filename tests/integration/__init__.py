"""On real PostgreSQL and Kafka."""
