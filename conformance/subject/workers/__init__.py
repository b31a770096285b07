"""Workers that answer cases in a process and a Python of their own; the suite starts them and never imports them."""
