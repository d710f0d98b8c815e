"""Measurements that anyone can run; nothing here is a test."""
