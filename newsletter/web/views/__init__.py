"""The views: one module for each caller or page."""
