"""Runs cases on TensorFlow 1.4.1, for the script tensorflow14.py on Python 3.6."""
