"""The errors whose text says all that a person needs: a command that ends with one shows it as a line."""

from conformance.mutants import MutantError
from conformance.report import ReportError
from conformance.run.known import StoredError
from conformance.subject.subjects import HarnessError, NotAvailable
from dynamic_rnn_spec.page.clauses import ClauseError

EXPECTED = (ClauseError, HarnessError, MutantError, NotAvailable, ReportError, StoredError)
