"""The parts that all endpoints share."""
