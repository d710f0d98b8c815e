"""The API's description, and its pages."""
