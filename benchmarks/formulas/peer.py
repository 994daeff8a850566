"""Restart studies of formulas by others: JAX's vmap of a Levenberg-Marquardt method, and scipy's least_squares in a loop; one core."""
import json
import os
import sys
import time

for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[name] = "1"
os.environ["XLA_FLAGS"] = "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"

import jax

jax.config.update("jax_enable_x64", True)
import jax.numpy as jnp
import numpy as np
import scipy
from scipy.optimize import least_squares

models = {
    "Misra1a": lambda m, b, x: b[0] * (1 - m.exp(-b[1] * x[0])),
    "MGH17": lambda m, b, x: b[0] + b[1] * m.exp(-x[0] * b[3]) + b[2] * m.exp(-x[0] * b[4]),
    "2D Gaussian": lambda m, b, x: b[0] * m.exp(-((x[0] - b[1]) ** 2 + (x[1] - b[2]) ** 2) / (2 * b[3] ** 2)) + b[4],
}


def levenberg(model, x, y, steps, tolerance):
    """Levenberg-Marquardt with Marquardt's scaling; ends as all others do: by the relative length of the step, or after so many."""
    residual = lambda b: model(jnp, b, x) - y
    jacobian = jax.jacfwd(residual)

    def going(s):
        return (s[3] < steps) & ~s[4]

    def step(s):
        b, r, mu, k, _ = s
        J = jacobian(b)
        A, g = J.T @ J, J.T @ r
        delta = jnp.linalg.solve(A + mu * jnp.diag(jnp.diag(A)), -g)
        new = b + delta
        rn = residual(new)
        good = rn @ rn < r @ r
        small = jnp.all(jnp.abs(delta) <= tolerance * (jnp.abs(b) + tolerance))
        return jnp.where(good, new, b), jnp.where(good, rn, r), jnp.where(good, mu / 10, mu * 10), k + 1, small

    return lambda b: jax.lax.while_loop(going, step, (b, residual(b), 1e-3, 0, False))[0]


def timed(repeats, work):
    """Processor seconds: other work on the machine does not count."""
    seconds = []
    for _ in range(repeats):
        began = time.process_time()
        out = work()
        seconds.append(time.process_time() - began)
    return seconds, out


def main():
    with open(sys.argv[1]) as file:
        problems = json.load(file)["problems"]
    print(json.dumps(dict(versions=dict(jax=jax.__version__, scipy=scipy.__version__))), flush=True)

    def say(p, method, count, seconds, ends):
        ends = [[v if np.isfinite(v) else None for v in row] for row in np.asarray(ends).tolist()]
        figure = dict(what="study", problem=p["name"], method=method, count=count, seconds=seconds, ends=ends)
        print(json.dumps(dict(figure=figure)), flush=True)

    for p in problems:
        x, y, starts, steps = np.array(p["x"]), np.array(p["y"]), np.array(p["starts"]), p["steps"]
        model = models[p["name"]]
        work = jax.jit(jax.vmap(levenberg(model, x, y, steps, 1e-12)))
        found = []
        for batch in (20, 100):
            run = lambda: np.concatenate([work(starts[i : i + batch]) for i in range(0, len(starts), batch)])
            run()
            found.append((*timed(3, run), batch))
        seconds, ends, batch = min(found, key=lambda f: min(f[0]))
        say(p, f"JAX {jax.__version__}, Levenberg-Marquardt, vmap of {batch}", len(starts), seconds, ends)
        few = starts[: p["few"]]

        def one_by_one():
            out = []
            for b in few:
                try:
                    fit = least_squares(lambda b: model(np, b, x) - y, b, method="lm", max_nfev=steps * (len(b) + 1), xtol=1e-12)
                    out.append(fit.x)
                except ValueError:
                    out.append(np.full(len(b), np.nan))
            return np.array(out)

        with np.errstate(all="ignore"):
            seconds, ends = timed(1, one_by_one)
        say(p, f"scipy {scipy.__version__}, least_squares of MINPACK", len(few), seconds, ends)
    print(json.dumps(dict(done=True)), flush=True)


if __name__ == "__main__":
    main()
