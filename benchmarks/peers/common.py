"""What the Python peers share: the problems, a process for each core, timing, and the lines that are printed."""
import functools
import json
import multiprocessing
import os
import sys
import time
from concurrent.futures import ProcessPoolExecutor

import numpy as np

# A process has one core, so its libraries need one thread.
for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[name] = "1"


@functools.cache
def shared():
    """What Manystart wrote: the problems by name with arrays in double precision, and the number of cores."""
    with open(sys.argv[1]) as file:
        told = json.load(file)
    for p in told["problems"]:
        for key in ("x", "y", "starts"):
            p[key] = np.array(p[key], dtype=np.float64)
    return {p["name"]: p for p in told["problems"]}, told["threads"]


class Cores:
    """One process on each core. Each does the same on its own part of the starts, which no library here does by itself."""

    def __init__(self):
        self.count = shared()[1]
        context = multiprocessing.get_context("spawn")
        pin = hasattr(os, "sched_setaffinity")
        allowed = os.sched_getaffinity(0) if pin else range(self.count)
        self.pools = []
        for core in sorted(allowed)[: self.count]:
            if pin:  # children inherit it, so that it holds before they import anything
                os.sched_setaffinity(0, {core})
            self.pools.append(ProcessPoolExecutor(1, mp_context=context))
            self.pools[-1].submit(int).result()
        if pin:
            os.sched_setaffinity(0, allowed)

    def measure(self, what, name, method, each, function, *arguments, least=3, most=10, budget=3.0):
        """Times function(starts of a core, name, method, *arguments) on all cores, after a call that does not count."""
        starts = shared()[0][name]["starts"]
        each = min(each, len(starts) // self.count)
        parts = [starts[k * each : (k + 1) * each] for k in range(self.count)]

        def work():
            futures = [pool.submit(function, part, name, method, *arguments) for pool, part in zip(self.pools, parts)]
            return [f.result() for f in futures]

        work()  # compiles and warms up
        seconds = []
        while len(seconds) < least or (len(seconds) < most and sum(seconds) < budget):
            began = time.perf_counter()
            results = work()
            seconds.append(time.perf_counter() - began)
        more = {"ends": np.concatenate(results)} if what == "study" else {"sample": results[0]}
        return dict(what=what, problem=name, method=method, count=each * self.count, seconds=seconds, **more)


def best(figures):
    """Of several ways to do the same, the fastest: peers are shown at their best."""
    return min(figures, key=lambda f: sorted(f["seconds"])[len(f["seconds"]) // 2] / f["count"])


def say(**line):
    """One line of the answer, printed at once so that it is kept if time runs out."""
    print(json.dumps(line, default=lambda array: np.asarray(array).tolist()), flush=True)
