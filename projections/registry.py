"""Every projection by name."""

from projections.balances.projection import BalancesProjection
from projections.interface import AnyProjection
from projections.transactions.projection import TransactionsProjection

PROJECTIONS: dict[str, AnyProjection] = {
    projection.name: projection for projection in (BalancesProjection(), TransactionsProjection())
}
