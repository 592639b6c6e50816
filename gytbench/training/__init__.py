"""Training the paper's model on narrated videos."""
