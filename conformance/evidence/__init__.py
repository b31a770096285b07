"""`device`: what the suite has to say of an implementation on a machine that is at hand for minutes, as one JSON
file; it knows no device and no implementation."""
