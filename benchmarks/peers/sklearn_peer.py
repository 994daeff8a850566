"""scikit-learn: LogisticRegression fitted from every start in turn, and MLPClassifier, which draws its own starts."""
import warnings

import numpy as np
import sklearn
from sklearn.linear_model import LogisticRegression
from sklearn.neural_network import MLPClassifier

from common import Cores, say, shared

warnings.simplefilter("ignore")


def logistic(starts, name, solver):
    p = shared()[0][name]
    ends = []
    with sklearn.config_context(assume_finite=True, skip_parameter_validation=True):
        for start in starts:
            m = LogisticRegression(C=np.inf, solver=solver, tol=p["gradient"], max_iter=p["steps"], warm_start=True)
            m.coef_, m.intercept_ = start[None, 1:].copy(), start[:1].copy()
            m.fit(p["x"], p["y"])
            ends.append(np.concatenate([m.intercept_, m.coef_[0]]))
    return np.array(ends)


def mlp(starts, name, method):
    p = shared()[0][name]
    ends = []
    for seed in range(len(starts)):
        # Its penalty is alpha / (2 N); it stops by gtol = tol.
        m = MLPClassifier(
            p["hidden"], activation="tanh", solver="lbfgs", alpha=p["ridge"] * p["N"], tol=p["gradient"],
            max_iter=p["steps"], max_fun=10**6, random_state=seed,
        )  # fmt: skip
        m.fit(p["x"], p["y"])
        W, v = np.vstack([m.intercepts_[0], m.coefs_[0]]), np.vstack([m.intercepts_[1], m.coefs_[1]])
        ends.append(np.concatenate([W.T.ravel(), v.ravel()]))
    return np.array(ends)


def main():
    cores = Cores()
    say(peer="scikit-learn", versions={"scikit-learn": sklearn.__version__, "numpy": np.__version__})
    for solver in ("newton-cholesky", "lbfgs"):
        figure = cores.measure("study", "iris2 logistic", solver, 100, logistic)
        say(figure={**figure, "method": f"LogisticRegression, {solver}, in a loop"})
    figure = cores.measure("study", "iris2 4-5-1", "MLPClassifier, lbfgs, in a loop", 10, mlp)
    say(figure={**figure, "ownStarts": True})
    say(done=True)


if __name__ == "__main__":
    main()
