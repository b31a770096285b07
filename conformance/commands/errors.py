"""Lists the errors whose text is all that a user needs, so that a command which ends with one prints a line and no
traceback."""

from conformance.machine.interpreters import NotAvailable
from conformance.mutants import MutantError
from conformance.report import ReportError
from conformance.run.known import StoredError
from conformance.subject.worker_client import HarnessError
from dynamic_rnn_spec.page.clauses import ClauseError

EXPECTED = (ClauseError, HarnessError, MutantError, NotAvailable, ReportError, StoredError)
