"""Logistic regression, and how good its probabilities are: rank (AUC) and calibration (ECE)."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

Floats = NDArray[np.float64]
_BINS = 10


@dataclass(frozen=True)
class Logistic:
    """`weights` for the columns, and a constant."""

    weights: Floats
    constant: float

    @classmethod
    def fit(cls, rows: "csr_matrix | Floats", labels: Floats, sample_weights: Floats, penalty: float) -> "Logistic":
        """Maximum likelihood less `penalty` / 2 times the squared weights; the constant is not punished."""
        from scipy.optimize import minimize
        from scipy.special import expit

        total = sample_weights.sum()

        def loss(guess: Floats) -> tuple[float, Floats]:
            scores = rows @ guess[:-1] + guess[-1]
            # log(1 + e^-x) for the author's, log(1 + e^x) for the others'
            costs = np.logaddexp(0, np.where(labels == 1, -scores, scores))
            errors = sample_weights * (expit(scores) - labels) / total
            value = sample_weights @ costs / total + penalty / 2 * guess[:-1] @ guess[:-1]
            return float(value), np.append(rows.T @ errors + penalty * guess[:-1], errors.sum())

        found: Any = minimize(loss, np.zeros(rows.shape[1] + 1), jac=True, method="L-BFGS-B")
        return cls(found.x[:-1], float(found.x[-1]))

    def scores(self, rows: "csr_matrix | Floats") -> Floats:
        """Log-odds."""
        return np.asarray(rows @ self.weights + self.constant)

    def probabilities(self, rows: "csr_matrix | Floats") -> Floats:
        """From 0 to 1."""
        from scipy.special import expit

        return np.asarray(expit(self.scores(rows)))


def auc(scores: Floats, labels: Floats) -> float:
    """How often one of label 1 has a higher score than one of label 0; ties count half (Mann and Whitney's U)."""
    from scipy.stats import rankdata

    own = int(labels.sum())
    others = len(labels) - own
    return float((rankdata(scores)[labels == 1].sum() - own * (own + 1) / 2) / (own * others))


def calibration_error(probabilities: Floats, labels: Floats, weights: Floats) -> float:
    """Expected calibration error over ten bins of equal width (Naeini et al., AAAI 2015), each row by its weight."""
    bins = np.minimum((probabilities * _BINS).astype(np.int64), _BINS - 1)
    gaps = np.bincount(bins, weights * (probabilities - labels), _BINS)
    return float(np.abs(gaps).sum() / weights.sum())
