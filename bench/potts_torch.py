"""Times the two-class Potts segmentation in PyTorch: the same loss, start and steps as `glauber segment`.

Written from the model's definition, as one writes it in PyTorch: the loss as a sum of four terms, its gradient by
`backward()`, a step of `torch.optim.SGD`, the result clamped to [0, 1].

    L(X) = a sum(1 - X) + b sum_x sum_u X (1 - u) + c sum_x sum_u (1 - X) u + d sum (X - z)^2

u runs over the 8 Moore neighbours on a torus, z is the standardised image, X starts as z stretched to [0, 1].
Three ways of summing the neighbours are timed, since none is always the fastest: `conv` (circular padding and a
3 x 3 convolution), `pool` (circular padding and a 3 x 3 average, less the pixel itself) and `roll` (eight
`torch.roll`s), each eagerly and through `torch.compile`.

    python bench/potts_torch.py [IMAGE [MASK]] [--preset seadragon|cells] [--threads 1] [--repeats 7] [--json]

Without IMAGE a 384 x 512 image of random numbers is timed. With MASK the Dice course is printed, to see that it is
the same problem. Reading image files needs Pillow. One line per variant: median, least and greatest time of a step.
"""

import argparse
import json
import statistics
import time

import numpy as np
import torch

WEIGHTS = {"seadragon": (0.6, 0.05, 0.15, 0.5), "cells": (0.6, 0.05, 0.3, 0.8)}
OFFSETS = [(i, j) for i in (-1, 0, 1) for j in (-1, 0, 1) if (i, j) != (0, 0)]
KERNEL = torch.tensor([[1.0, 1.0, 1.0], [1.0, 0.0, 1.0], [1.0, 1.0, 1.0]])[None, None]


def neighbours_by_convolution(x):
    padded = torch.nn.functional.pad(x[None, None], (1, 1, 1, 1), mode="circular")
    return torch.nn.functional.conv2d(padded, KERNEL)[0, 0]


def neighbours_by_pooling(x):
    padded = torch.nn.functional.pad(x[None, None], (1, 1, 1, 1), mode="circular")
    return torch.nn.functional.avg_pool2d(padded, 3, stride=1, divisor_override=1)[0, 0] - x


def neighbours_by_rolling(x):
    return sum(torch.roll(x, offset, (0, 1)) for offset in OFFSETS)


NEIGHBOURS = {"conv": neighbours_by_convolution, "pool": neighbours_by_pooling, "roll": neighbours_by_rolling}


def loss_of(neighbours, weights):
    a, b, c, d = weights

    def loss(x, z):
        u = neighbours(x)
        return (
            a * (1 - x).sum()
            + b * (x * (8 - u)).sum()
            + c * ((1 - x) * u).sum()
            + d * ((x - z) ** 2).sum()
        )

    return loss


def standardise(grey):
    grey = torch.as_tensor(grey, dtype=torch.float32)
    z = (grey - grey.mean()) / grey.std(correction=0)
    return z, (z - z.min()) / (z.max() - z.min())


def descend(loss, z, start, steps, rate=0.01, watch=None):
    x = start.clone().requires_grad_()
    optimizer = torch.optim.SGD([x], lr=rate)
    for step in range(steps):
        if watch:
            watch(step, x)
        optimizer.zero_grad()
        loss(x, z).backward()
        optimizer.step()
        with torch.no_grad():
            x.clamp_(0, 1)
    if watch:
        watch(steps, x)
    return x.detach()


def dice(mask, truth):
    total = int(mask.sum()) + int(truth.sum())
    return 2 * int((mask & truth).sum()) / total if total else 1.0


def time_of_step(loss, z, start, repeats, steps):
    descend(loss, z, start, 5)  # compile and warm up
    times = []
    for _ in range(repeats):
        begin = time.perf_counter()
        descend(loss, z, start, steps)
        times.append((time.perf_counter() - begin) / steps)
    return times


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("image", nargs="?")
    parser.add_argument("mask", nargs="?")
    parser.add_argument("--preset", choices=WEIGHTS, default="seadragon")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--repeats", type=int, default=7)
    parser.add_argument("--steps", type=int, default=100, help="steps per repeat")
    parser.add_argument("--eager-only", action="store_true", help="leave torch.compile out")
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)

    def read(path):
        from PIL import Image

        return np.asarray(Image.open(path).convert("L"))

    grey = read(arguments.image) / 255 if arguments.image else np.random.default_rng(0).random((384, 512))
    z, start = standardise(grey)
    weights = WEIGHTS[arguments.preset]

    if arguments.mask:
        truth = torch.as_tensor(read(arguments.mask) > 127)
        course = {}
        watched = (0, 5, 10, 20, 30, 50, 100, 150, 200, 300)
        descend(
            loss_of(NEIGHBOURS["roll"], weights),
            z,
            start,
            300,
            watch=lambda step, x: step in watched and course.update({step: dice(x > 0, truth)}),
        )
        print("Dice", " ".join(f"{step}:{value:.3f}" for step, value in course.items()))

    rows = []
    for name, neighbours in NEIGHBOURS.items():
        for mode in ("eager",) if arguments.eager_only else ("eager", "compile"):
            loss = loss_of(neighbours, weights)
            if mode == "compile":
                loss = torch.compile(loss)
            times = time_of_step(loss, z, start, arguments.repeats, arguments.steps)
            rows.append(
                {
                    "variant": f"{name}, {mode}",
                    "milliseconds": 1e3 * statistics.median(times),
                    "least": 1e3 * min(times),
                    "greatest": 1e3 * max(times),
                }
            )
    if arguments.json:
        shape = list(z.shape)
        print(json.dumps({"torch": torch.__version__, "threads": arguments.threads, "shape": shape, "rows": rows}))
        return
    print(f"torch {torch.__version__}, {arguments.threads} thread(s), {z.shape[0]} x {z.shape[1]} pixels")
    for row in rows:
        print("{variant:16s} {milliseconds:8.3f} ms per step ({least:.3f} to {greatest:.3f})".format(**row))


if __name__ == "__main__":
    main()
