"""Writes what a proof, a benchmark or a conformance run on a device leaves behind: one JSON file of evidence."""
