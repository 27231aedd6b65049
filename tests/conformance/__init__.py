"""What every event log must do; each test runs on all of them."""
