"""Runs the problems in JAX: `jax_runner.py PROBLEM`. Steps through `jit`, `scan` and, for long gradients, `checkpoint`.

Written from the models' definitions, as one writes them in JAX; compiled once before the first timing.
"""

import os
import sys

os.environ["XLA_FLAGS"] = "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"

import jax
import jax.numpy as jnp
from problems import (
    CAPACITY, DIAGONAL, DIRECTIONS, OFFSETS, SIDE, THETA, WEIGHTS, displacements, scattered, serve, standardised, wave,
)


def neighbours(x):
    return sum(jnp.roll(x, offset, (-2, -1)) for offset in OFFSETS)


def chance_aware(aware, beta):
    return aware + (1 - aware) * (1 - (1 - beta) ** neighbours(aware))


def through(hard, p):
    return hard + p - jax.lax.stop_gradient(p)


def straight_through(key, p):
    return through((jax.random.uniform(key, p.shape) < p).astype(p.dtype), p)


def one_of_logits(key, logits):
    """One class, Gumbel-softmax with temperature 1, of logits along the last axis."""
    soft = jax.nn.softmax(logits + jax.random.gumbel(key, logits.shape))
    hard = jax.nn.one_hot(soft.argmax(-1), logits.shape[-1])
    return through(hard, soft)


def softmax_draw(key, p):
    return one_of_logits(key, jnp.log(jnp.maximum(jnp.stack([p, 1 - p], -1), 1e-12)))[..., 0]


def found_by(loss_of, names, start):
    both = jax.jit(jax.value_and_grad(loss_of))

    def run(seed):
        value, slopes = both(start, jax.random.key(seed))
        return {"loss": value, **dict(zip(names, jnp.atleast_1d(jnp.array(slopes))))}

    return run


def transition(draw):
    def make():
        first, target = scattered((128, 64, 64), 0.1, 1), scattered((128, 64, 64), 0.3, 2)
        loss = lambda beta, key: ((draw(key, chance_aware(first, beta)) - target) ** 2).sum() / 128
        return found_by(loss, ["beta"], 0.3)

    return make


def spread():
    first = scattered((1000, 1000), 0.03, 1)

    @jax.jit
    def rollout(key):
        def step(aware, key):
            p = chance_aware(aware, 0.1)
            return (jax.random.uniform(key, p.shape) < p).astype(p.dtype), None

        return jax.lax.scan(step, first, jax.random.split(key, 10))[0].sum()

    return lambda seed: {"aware": rollout(jax.random.key(seed))}


def walk():
    target = displacements()

    def velocity(key, center):
        side = (1 - center) / 2
        logits = jnp.log(jnp.maximum(jnp.stack([side, center, side]), 1e-12))
        drawn = one_of_logits(key, jnp.broadcast_to(logits, (2, 1500, 3)))
        return drawn[..., 2] - drawn[..., 0]

    def loss(theta, key):
        center, resample = theta
        first, key = jax.random.split(key)

        def step(state, key):
            v, x = state
            one, other = jax.random.split(key)
            again = softmax_draw(one, jnp.broadcast_to(resample, (2, 1500)))
            v = v + again * (velocity(other, center) - v)
            x = x + v
            return (v, x), (x**2).sum(0).mean()

        start = (velocity(first, center), jnp.zeros((2, 1500)))
        displacement = jax.lax.scan(step, start, jax.random.split(key, 10))[1]
        return ((displacement - target) ** 2).sum()

    return found_by(loss, ["p_center", "p_resample"], jnp.array([0.5, 0.5]))


def one_of(key, probabilities):
    """One class, straight-through, of probabilities along the first axis."""
    below = jnp.cumsum(probabilities, 0)
    drawn = (jax.random.uniform(key, probabilities.shape[1:]) >= below).sum(0)
    hard = jax.nn.one_hot(jnp.minimum(drawn, len(probabilities) - 1), len(probabilities), axis=0)
    return through(hard, probabilities)


def diffused(key, n, d):
    # The paper's slope: of 1 by the occupancy.
    one, other = jax.random.split(key)
    excited = through((jax.random.uniform(one, n.shape) < n / CAPACITY).astype(n.dtype), n)
    chances = jnp.stack([1 - d] + 4 * [d * SIDE] + 4 * [d * DIAGONAL])
    direction = one_of(other, chances)
    moved = sum(direction[k] * jnp.roll(excited, DIRECTIONS[k], (0, 1)) for k in range(9))
    return n - excited + moved


def react(key, a, b, k1, k2, k3):
    n, rate = CAPACITY, 0.005 / 6
    free_a, free_b = n - a, n - b
    crowding = k1 * (rate / ((n - 1) * (n - 2))) * a * free_a
    more_a = crowding * (a - 1) + k2 * (rate / n) * free_a * b
    less_a = crowding * (free_a - 1) + k2 * (rate / n) * a * free_b
    more_b, less_b = k3 * (rate / n) * free_a * free_b, k3 * (rate / n) * a * b
    none = 1 - more_a - less_a - more_b - less_b
    z = one_of(key, jnp.stack([more_a, less_a, more_b, less_b, none]))
    return a + z[0] - z[1], b + z[2] - z[3]


def patterns(side, steps, gradient):
    def make():
        first = wave(side, 10.0, 45.0), wave(side, 8.0, 30.0)

        def loss(theta, key):
            d_a, d_b, k1, k2, k3 = theta

            @jax.checkpoint
            def step(state, key):
                one, two, three = jax.random.split(key, 3)
                a, b = diffused(one, state[0], d_a), diffused(two, state[1], d_b)
                return react(three, a, b, k1, k2, k3), None

            (a, b), _ = jax.lax.scan(step, first, jax.random.split(key, steps))
            return ((a - first[0]) ** 2).sum() + ((b - first[1]) ** 2).sum()

        theta = jnp.array(THETA)
        if gradient:
            return found_by(loss, ["D_A", "D_B", "k1", "k2", "k3"], theta)
        forward = jax.jit(loss)
        return lambda seed: {"loss": forward(theta, jax.random.key(seed))}

    return make


def segmentation():
    z, start = standardised(384, 512)
    a, b, c, d = WEIGHTS

    def loss(x):
        u = neighbours(x)
        return a * (1 - x).sum() + b * (x * (8 - u)).sum() + c * ((1 - x) * u).sum() + d * ((x - z) ** 2).sum()

    @jax.jit
    def descended(x):
        def step(x, _):
            return jnp.clip(x - 0.01 * jax.grad(loss)(x), 0, 1), None

        return jax.lax.scan(step, x, None, 100)[0].mean()

    return lambda _seed: {"mean": descended(start)}


PROBLEMS = {
    "si-straight-through": transition(straight_through),
    "si-gumbel-softmax": transition(softmax_draw),
    "si-forward": spread,
    "walk": walk,
    "mk-gradient": patterns(64, 500, True),
    "mk-forward": patterns(64, 500, False),
    "mk-forward-512": patterns(512, 20, False),
    "segmentation": segmentation,
}

if __name__ == "__main__":
    serve(PROBLEMS[sys.argv[1]])
