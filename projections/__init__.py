"""The read side: projections fold the event log into tables that answer queries.

It knows no Kafka: a source (services/projector, a rebuild) hands it events in batches.
"""
