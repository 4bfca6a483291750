"""The durable truth about every batch; the coordinator alone opens it."""

from insula.ledger.ledger import Ledger
from insula.ledger.rows import DeadLetter, Piece, Settled, State

__all__ = ["DeadLetter", "Ledger", "Piece", "Settled", "State"]
