"""PyTorch: torch.func, compiled where that works; a batched Newton's method, and torch.optim.LBFGS from one start after the other."""
import functools

import torch
from torch.func import grad, hessian, vmap

from common import Cores, best, say, shared

torch.set_default_dtype(torch.float64)
torch.set_num_threads(1)


def objective(p):
    x, y, D = torch.tensor(p["x"]), torch.tensor(p["y"]), p["D"]
    if not p["hidden"]:
        z, mask = lambda t: x @ t[1:] + t[0], torch.tensor([0.0] + [1.0] * D)
    else:
        h = p["hidden"][0]
        cut = h * (D + 1)
        mask = torch.tensor(([0.0] + [1.0] * D) * h + [0.0] + [1.0] * h)

        def z(t):
            W, v = t[:cut].reshape(h, D + 1), t[cut:]
            return torch.tanh(x @ W[:, 1:].T + W[:, 0]) @ v[1:] + v[0]

    def f(t):
        u = z(t)
        loss = torch.clamp(u, min=0) + torch.log1p(torch.exp(-torch.abs(u))) - y * u
        return loss.mean() + p["ridge"] / 2 * (mask * t * t).sum()

    return f


@functools.cache
def batched(name, what, fused):
    function = vmap({"f": lambda f: f, "grad": grad, "hessian": hessian}[what](objective(shared()[0][name])))
    return torch.compile(function) if fused else function


def evaluate(starts, name, method, batch):
    run = batched(name, method.split()[0], "compile" in method)
    points = torch.tensor(starts)
    return [run(points[i : i + batch]) for i in range(0, len(starts), batch)][0][:2].numpy()


def newton(starts, name, method):
    """Newton on the exact Hessian, damped until the loss falls; runs that have ended leave the batch."""
    p = shared()[0][name]
    f, g_of, H_of = (batched(name, what, False) for what in ("f", "grad", "hessian"))
    t = torch.tensor(starts)
    left, mu = torch.arange(len(t)), torch.full((len(t),), 1e-2)
    fx, g, H, eye = f(t), g_of(t), H_of(t), torch.eye(t.shape[1])
    for _ in range(p["steps"]):
        left = left[g[left].abs().amax(1) > p["gradient"]]
        if len(left) == 0:
            break
        L, failed = torch.linalg.cholesky_ex(H[left] + mu[left, None, None] * eye)
        new = t[left] - torch.cholesky_solve(g[left, :, None], L)[:, :, 0]
        value = f(new)
        good = (failed == 0) & (value <= fx[left] + 1e-15)
        mu[left] = torch.where(good, mu[left] / 8, torch.clamp(4 * mu[left], min=1e-3))
        moved, at = left[good], new[good]
        if len(moved):
            t[moved], fx[moved], g[moved], H[moved] = at, value[good], g_of(at), H_of(at)
    return t.numpy()


def lbfgs(starts, name, method):
    p = shared()[0][name]
    f = objective(p)
    ends = []
    for start in torch.tensor(starts):
        t = start.clone().requires_grad_(True)
        rule = torch.optim.LBFGS(
            [t], max_iter=p["steps"], tolerance_grad=p["gradient"], tolerance_change=0, line_search_fn="strong_wolfe"
        )

        def closure():
            rule.zero_grad()
            loss = f(t)
            loss.backward()
            return loss

        rule.step(closure)
        ends.append(t.detach())
    return torch.stack(ends).numpy()


net, logistic, large = "iris2 4-5-1", "iris2 logistic", "N=1000 30-16-1"


def main():
    cores = Cores()
    say(peer="PyTorch", versions={"torch": torch.__version__})
    for what, method, name, each, batches in (
        ("gradient", "grad", net, 1000, (1000, 100)),
        ("hessian", "hessian", net, 200, (100, 20)),
        ("gradient", "grad", large, 100, (100, 10)),
        ("hessian", "hessian", large, 2, (2,)),
    ):
        found = []
        for kind in (f"{method} under vmap", f"{method} under vmap and torch.compile"):
            try:
                for batch in batches:
                    found.append(cores.measure(what, name, kind, each, evaluate, batch, budget=2.0))
                    found[-1]["method"] += f", batches of {batch}"
            except Exception as error:  # which transformations compile depends on the version
                say(note=f"PyTorch: {kind} fails for {name} ({type(error).__name__}).")
        say(figure=best(found))
    for name, each in ((logistic, 1000), (net, 200)):
        say(figure=cores.measure("study", name, "Newton by hand, batched", each, newton))
    for name, each in ((logistic, 20), (net, 5)):
        say(figure=cores.measure("study", name, "torch.optim.LBFGS in a loop", each, lbfgs))
    say(done=True)


if __name__ == "__main__":
    main()
