"""JAX: jit and vmap; BFGS of jax.scipy and optimistix, Levenberg-Marquardt of optimistix, and Newton by hand."""
import functools

import jax

jax.config.update("jax_enable_x64", True)
import jax.numpy as jnp
import lineax
import numpy as np
import optimistix as optx

from common import Cores, best, say, shared
from jax_models import columns, network, newton, objective, scipy_bfgs


def residuals(p):
    """Half the sum of their squares is the objective."""
    z, mask = network(p)
    y = jnp.array(p["y"])

    def r(t, _):
        u = z(t)
        loss = jax.nn.softplus(u) - y * u
        return jnp.concatenate([jnp.sqrt(2 * loss / p["N"] + 1e-300), jnp.sqrt(p["ridge"]) * mask * t])

    return r


class BFGS(optx.BFGS):
    """Stops by the gradient, as everybody here."""

    def terminate(self, fn, y, args, options, state, tags):
        return ~state.first_step & (jnp.max(jnp.abs(state.f_info.grad)) <= self.atol), state.result


class LevenbergMarquardt(optx.LevenbergMarquardt):
    def terminate(self, fn, y, args, options, state, tags):
        gradient = state.f_info.jac.transpose().mv(state.f_info.residual)
        return ~state.first_step & (jnp.max(jnp.abs(gradient)) <= self.atol), state.result


def levenberg(p):
    r = residuals(p)
    solver = LevenbergMarquardt(p["gradient"], p["gradient"], linear_solver=lineax.Normal(lineax.Cholesky()))
    return lambda t: optx.least_squares(r, solver, t, max_steps=p["steps"], throw=False).value


def optimistix_bfgs(p):
    f, solver = objective(p), BFGS(p["gradient"], p["gradient"])
    return lambda t: optx.minimise(lambda t, _: f(t), solver, t, max_steps=p["steps"], throw=False).value


methods = {
    "grad": lambda p: jax.grad(objective(p)),
    "hessian": lambda p: jax.hessian(objective(p)),
    "jvp of grad, column by column": columns,
    "optimistix BFGS": optimistix_bfgs,
    "optimistix Levenberg-Marquardt": levenberg,
    "jax.scipy BFGS": scipy_bfgs,
    "Newton by hand": newton,
}


@functools.cache
def compiled(name, method):
    return jax.jit(jax.vmap(methods[method](shared()[0][name])))


def run(starts, name, method, batch):
    """In batches: a batch waits for its slowest run, and a large one leaves the cache. All ends, or the first two results."""
    work = compiled(name, method)
    results = [work(starts[i : i + batch]) for i in range(0, len(starts), batch)]
    if method in evaluations:
        results[-1].block_until_ready()
        return np.asarray(results[0][:2])
    return np.concatenate(results)


evaluations = ("grad", "hessian", "jvp of grad, column by column")
net, net_all, logistic, large = "iris2 4-5-1", "iris2 4-5-1, ridge on all", "iris2 logistic", "N=1000 30-16-1"
# What, problem, starts of each core, and the methods with the batch sizes to try; the fastest batch of each is shown.
plan = (
    ("gradient", net, 1000, {"grad": (1000, 100)}),
    ("hessian", net, 200, {"hessian": (4,), "jvp of grad, column by column": (100, 20)}),
    ("gradient", large, 100, {"grad": (100, 10)}),
    ("hessian", large, 4, {"hessian": (1,), "jvp of grad, column by column": (4,)}),
    ("study", logistic, 1000, {"optimistix BFGS": (1000, 100), "Newton by hand": (1000, 100), "jax.scipy BFGS": (100,)}),
    ("study", net_all, 500, {"optimistix BFGS": (20,), "Newton by hand": (20,)}),
    ("study", logistic, 200, {"optimistix Levenberg-Marquardt": (200, 20)}),
    ("study", net, 500, {"optimistix BFGS": (100, 20, 10), "Newton by hand": (500, 100, 20)}),
    ("study", net, 20, {"optimistix Levenberg-Marquardt": (20,), "jax.scipy BFGS": (20, 5)}),
)


def main():
    cores = Cores()
    say(peer="JAX", versions={"jax": jax.__version__, "optimistix": optx.__version__})
    for what, name, each, tried in plan:
        found = []
        for method, batches in tried.items():
            figures = [cores.measure(what, name, method, each, run, batch) for batch in batches]
            for figure, batch in zip(figures, batches):
                figure["method"] += f", batches of {batch}"
            found.append(best(figures))
        for figure in found if what == "study" else [best(found)]:
            say(figure=figure)
    say(done=True)


if __name__ == "__main__":
    main()
