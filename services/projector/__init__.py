"""The projector: folds the events topic into one read model."""
