"""The models as JAX functions and Newton's method in a few lines, in JAX's default precision at the time of the call."""
import jax
import jax.numpy as jnp
import jax.scipy.optimize


def network(p):
    """θ -> z [N]; unit by unit, a unit's bias first. And the mask of what the ridge falls on."""
    x, D, bias = jnp.array(p["x"]), p["D"], float(p["penalizeBias"])
    if not p["hidden"]:
        return lambda t: x @ t[1:] + t[0], jnp.array([bias] + [1.0] * D)
    h = p["hidden"][0]
    cut = h * (D + 1)

    def z(t):
        W, v = t[:cut].reshape(h, D + 1), t[cut:]
        return jnp.tanh(x @ W[:, 1:].T + W[:, 0]) @ v[1:] + v[0]

    return z, jnp.array(([bias] + [1.0] * D) * h + [bias] + [1.0] * h)


def objective(p):
    z, mask = network(p)
    y = jnp.array(p["y"])

    def f(t):
        u = z(t)
        return jnp.mean(jax.nn.softplus(u) - y * u) + p["ridge"] / 2 * jnp.sum(mask * t * t)

    return f


def columns(p):
    """The Hessian column by column: under vmap it needs less memory than jax.hessian, so that it stays in the cache."""
    g, eye = jax.grad(objective(p)), jnp.eye(p["starts"].shape[1])
    return lambda t: jax.lax.map(lambda v: jax.jvp(g, (t,), (v,))[1], eye)


def newton(p, hessian_of=columns):
    """Newton on the exact Hessian, damped until it is positive definite and the loss falls."""
    f = objective(p)
    value_and_grad, hessian = jax.value_and_grad(f), hessian_of(p)
    eye = jnp.eye(p["starts"].shape[1])
    slack = 4 * jnp.finfo(eye.dtype).eps  # of the loss, by rounding

    def going(s):
        t, fx, g, H, mu, k = s
        return (k < p["steps"]) & (jnp.max(jnp.abs(g)) > p["gradient"])

    def step(s):
        t, fx, g, H, mu, k = s
        new = t - jax.scipy.linalg.cho_solve((jnp.linalg.cholesky(H + mu * eye), True), g)
        fn, gn = value_and_grad(new)  # NaN where the matrix was not positive definite
        good = fn <= fx + slack
        t, fx, g, H = (jnp.where(good, a, b) for a, b in zip((new, fn, gn, hessian(new)), (t, fx, g, H)))
        return t, fx, g, H, jnp.where(good, mu / 8, jnp.maximum(4 * mu, 1e-3)), k + 1

    return lambda t: jax.lax.while_loop(going, step, (t, *value_and_grad(t), hessian(t), 1e-2, 0))[0]


def scipy_bfgs(p):
    options = dict(gtol=p["gradient"], maxiter=p["steps"])
    return lambda t: jax.scipy.optimize.minimize(objective(p), t, method="BFGS", options=options).x
