"""The conformance suite: draws calls of dynamic_rnn, runs them on implementations and reports which clauses each one
keeps."""
