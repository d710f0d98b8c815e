"""What is kept of each kind of nightly run."""
