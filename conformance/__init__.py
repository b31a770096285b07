"""The conformance suite: strategies, properties, runner, report; it knows implementations only through the contract."""
