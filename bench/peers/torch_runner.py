"""Runs the problems in PyTorch, eagerly or through `torch.compile`: `torch_runner.py PROBLEM eager|compiled`.

Written from the models' definitions, as one writes them in PyTorch: fields are float tensors, a step is a function,
random numbers come from `torch.rand`, straight-through is `hard + p - p.detach()`, the gradient is `backward()`.
"""

import sys

import torch
from problems import (
    CAPACITY, DIAGONAL, DIRECTIONS, OFFSETS, SIDE, THETA, WEIGHTS, displacements, scattered, serve, standardised, wave,
)

torch.set_num_threads(1)


def neighbours(x):
    return sum(torch.roll(x, offset, (-2, -1)) for offset in OFFSETS)


def chance_aware(aware, beta):
    return aware + (1 - aware) * (1 - (1 - beta) ** neighbours(aware))


def straight_through(p):
    hard = (torch.rand_like(p) < p).float()
    return hard + p - p.detach()


def softmax_draw(p):
    logits = torch.stack([p, 1 - p]).clamp_min(1e-12).log()
    return torch.nn.functional.gumbel_softmax(logits, tau=1.0, hard=True, dim=0)[0]


def transition(draw):
    def make(wrap):
        first = torch.from_numpy(scattered((128, 64, 64), 0.1, 1))
        target = torch.from_numpy(scattered((128, 64, 64), 0.3, 2))

        @wrap
        def loss_of(beta):
            return ((draw(chance_aware(first, beta)) - target) ** 2).sum() / 128

        def run(seed):
            torch.manual_seed(seed)
            beta = torch.tensor(0.3, requires_grad=True)
            loss = loss_of(beta)
            loss.backward()
            return {"loss": loss, "beta": beta.grad}

        return run

    return make


def spread(wrap):
    first = torch.from_numpy(scattered((1000, 1000), 0.03, 1))

    @wrap
    def step(aware):
        p = chance_aware(aware, 0.1)
        return (torch.rand_like(p) < p).float()

    def run(seed):
        torch.manual_seed(seed)
        aware = first
        with torch.no_grad():
            for _ in range(10):
                aware = step(aware)
        return {"aware": aware.sum()}

    return run


def walk(wrap):
    target = torch.from_numpy(displacements())

    def velocity(center):
        side = (1 - center) / 2
        logits = torch.stack([side, center, side]).clamp_min(1e-12).log().expand(2, 1500, 3)
        drawn = torch.nn.functional.gumbel_softmax(logits, tau=1.0, hard=True)
        return drawn[..., 2] - drawn[..., 0]

    @wrap
    def loss_of(center, resample):
        v, x, displacement = velocity(center), torch.zeros(2, 1500), []
        for _ in range(10):
            again = softmax_draw(resample.expand(2, 1500))
            v = v + again * (velocity(center) - v)
            x = x + v
            displacement.append((x**2).sum(0).mean())
        return ((torch.stack(displacement) - target) ** 2).sum()

    def run(seed):
        torch.manual_seed(seed)
        center, resample = (torch.tensor(0.5, requires_grad=True) for _ in range(2))
        loss = loss_of(center, resample)
        loss.backward()
        return {"loss": loss, "p_center": center.grad, "p_resample": resample.grad}

    return run


def one_of(probabilities):
    """One class, straight-through, of probabilities along the first axis."""
    shape = probabilities.shape[1:]
    below = probabilities.cumsum(0)
    drawn = (torch.rand(shape) >= below).sum(0).clamp_max(len(probabilities) - 1)
    hard = torch.nn.functional.one_hot(drawn, len(probabilities)).movedim(-1, 0).float()
    return hard + probabilities - probabilities.detach()


def diffused(n, d):
    # The paper's slope: of 1 by the occupancy.
    excited = (torch.rand_like(n) < n / CAPACITY).float() + n - n.detach()
    chances = torch.stack([1 - d] + 4 * [d * SIDE] + 4 * [d * DIAGONAL])
    direction = one_of(chances)
    moved = sum(direction[k] * torch.roll(excited, DIRECTIONS[k], (0, 1)) for k in range(9))
    return n - excited + moved


def react(a, b, k1, k2, k3):
    n, rate = CAPACITY, 0.005 / 6
    free_a, free_b = n - a, n - b
    crowding = k1 * (rate / ((n - 1) * (n - 2))) * a * free_a
    more_a = crowding * (a - 1) + k2 * (rate / n) * free_a * b
    less_a = crowding * (free_a - 1) + k2 * (rate / n) * a * free_b
    more_b, less_b = k3 * (rate / n) * free_a * free_b, k3 * (rate / n) * a * b
    none = 1 - more_a - less_a - more_b - less_b
    z = one_of(torch.stack([more_a, less_a, more_b, less_b, none]))
    return a + z[0] - z[1], b + z[2] - z[3]


def patterns(side, steps, gradient):
    def make(wrap):
        first = torch.from_numpy(wave(side, 10.0, 45.0)), torch.from_numpy(wave(side, 8.0, 30.0))

        @wrap
        def step(a, b, d_a, d_b, k1, k2, k3):
            return react(diffused(a, d_a), diffused(b, d_b), k1, k2, k3)

        def rollout(theta):
            a, b = first
            for _ in range(steps):
                a, b = step(a, b, *theta)
            return ((a - first[0]) ** 2).sum() + ((b - first[1]) ** 2).sum()

        def run(seed):
            torch.manual_seed(seed)
            theta = [torch.tensor(t, requires_grad=gradient) for t in THETA]
            if not gradient:
                with torch.no_grad():
                    return {"loss": rollout(theta)}
            loss = rollout(theta)
            loss.backward()
            names = ("D_A", "D_B", "k1", "k2", "k3")
            return {"loss": loss, **{name: t.grad for name, t in zip(names, theta)}}

        return run

    return make


def segmentation(wrap):
    z, start = (torch.from_numpy(x) for x in standardised(384, 512))
    a, b, c, d = WEIGHTS

    @wrap
    def loss_of(x):
        u = neighbours(x)
        return a * (1 - x).sum() + b * (x * (8 - u)).sum() + c * ((1 - x) * u).sum() + d * ((x - z) ** 2).sum()

    def run(_seed):
        x = start.clone().requires_grad_()
        optimizer = torch.optim.SGD([x], lr=0.01)
        for _ in range(100):
            optimizer.zero_grad()
            loss_of(x).backward()
            optimizer.step()
            with torch.no_grad():
                x.clamp_(0, 1)
        return {"mean": x.mean()}

    return run


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
    problem, variant = sys.argv[1:]
    serve(lambda: PROBLEMS[problem](torch.compile if variant == "compiled" else lambda f: f))
