"""Two implementations on the same generated cases: what is drawn, how answers are compared, and the two commands; it
knows neither implementation."""
