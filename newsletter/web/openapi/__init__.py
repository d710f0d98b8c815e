"""The API description, and its pages."""
