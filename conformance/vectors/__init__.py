"""Cases recorded on TensorFlow 1.4.1: their definitions, the outcomes kept of them, and the judge of others."""
