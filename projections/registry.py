"""Every projection by name."""

from projections.balances.projection import BalancesProjection
from projections.interface import AnyProjection
from projections.transactions.projection import TransactionsProjection
from projections.trial_balance.projection import TrialBalanceProjection

PROJECTIONS: dict[str, AnyProjection] = {
    projection.name: projection
    for projection in (BalancesProjection(), TransactionsProjection(), TrialBalanceProjection())
}
