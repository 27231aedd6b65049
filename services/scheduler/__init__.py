"""The scheduler: asks for each wallet in which something is due that it lapse. Decides nothing."""
