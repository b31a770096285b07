"""Records cases on TensorFlow 1.4.1, stores its outcomes and verifies implementations by them."""
