"""What every process needs: settings, logs, health, shutdown, and its connections."""
