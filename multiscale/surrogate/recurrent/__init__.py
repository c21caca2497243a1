"""The recurrent surrogate: network, training, law."""
