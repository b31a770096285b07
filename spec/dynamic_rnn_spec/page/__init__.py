"""Holds the r1.4 page as data: its sentences by place and hash, and every promise of a call as a numbered clause."""
