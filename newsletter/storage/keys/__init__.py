"""The keyring, encryption and signatures."""
