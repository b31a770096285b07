"""Defines how a law is written, makes its examples, and tries it on an implementation."""
