"""JAX on one GPU: jit and vmap over all runs at once, in f32. Arguments: the problem as JSON, its starts as raw f32, a folder for the ends.

Prints a line of JSON for each figure, as the peers do. Works where JAX alone is installed.
"""
import json
import sys
import time
from pathlib import Path

import jax
import numpy as np

sys.path.insert(0, str(Path(__file__).parent.parent / "peers"))
from jax_models import columns, newton, objective, scipy_bfgs

# By default matrix products on these GPUs round their factors to 10 bits, with which no gradient of 1e-5 is reached.
jax.config.update("jax_default_matmul_precision", "highest")
least, most, budget = 3, 10, 3.0


def all_at_once(p):
    return jax.hessian(objective(p))


searches = {
    "Newton by hand, columns of the Hessian in turn": newton,
    "Newton by hand, jax.hessian": lambda p: newton(p, all_at_once),
    "jax.scipy BFGS": scipy_bfgs,
}
evaluations = {
    "gradient": {"grad": lambda p: jax.grad(objective(p))},
    "hessian": {"hessian": all_at_once, "jvp of grad, column by column": columns},
}


def measured(work, starts, batch):
    """Seconds of all starts in batches, after a call that does not count, and the results as the host has them."""

    def run():
        parts = [work(starts[i : i + batch]) for i in range(0, len(starts), batch)]
        return np.concatenate([np.asarray(part) for part in parts])

    results, seconds = run(), []
    while len(seconds) < least or (len(seconds) < most and sum(seconds) < budget):
        began = time.perf_counter()
        run()
        seconds.append(time.perf_counter() - began)
    return seconds, results


def say(**line):
    print(json.dumps(line), flush=True)


def main():
    problem, starts, folder = (Path(a) for a in sys.argv[1:4])
    p = json.loads(problem.read_text())
    p["x"], p["y"] = np.array(p["x"], np.float32), np.array(p["y"], np.float32)
    p["starts"] = np.fromfile(starts, np.float32).reshape(-1, p["parameters"])
    say(device=str(jax.devices()[0].device_kind), platform=jax.default_backend(), versions={"jax": jax.__version__})
    batches = sorted({min(b, len(p["starts"])) for b in p["batches"]})
    plan = searches.items() if p["what"] == "study" else evaluations[p["what"]].items()
    for k, (method, build) in enumerate(plan):
        work = jax.jit(jax.vmap(build(p)))
        for batch in batches:
            try:
                seconds, results = measured(work, p["starts"], batch)
            except Exception as error:  # a batch that does not fit the memory ends neither the others nor the methods
                say(note=f"{method}, batches of {batch}: {str(error).splitlines()[0][:200]}")
                continue
            results = results if p["what"] == "study" else results[:2]
            file = folder / f"{k}-{batch}.f32"
            results.astype(np.float32).tofile(file)
            say(method=f"{method}, batches of {batch}", seconds=seconds, ends=str(file))
    say(done=True)


if __name__ == "__main__":
    main()
