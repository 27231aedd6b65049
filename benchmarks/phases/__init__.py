"""What is measured, a module for each kind of figure. Every phase leaves the stack at rest."""
