"""The pre-training step and the retrieval evaluation: rc3_bench model and benchmarks/peers/model.py."""

from __future__ import annotations

from contextlib import ExitStack

from .common import E5, PEERS, Context, Measured, finished, turns


def inputs(c: Context) -> None:
    if not (c.work / "evaluation.safetensors").exists():
        sizes = (4, 6, 8, 4) if c.quick else (64, 500, 24, 16)  # images, texts, tokens, regions
        finished([c.python, "-B", PEERS / "model.py", "input", c.work, *sizes], c.environment())


def sides(c: Context, what: str, forms: tuple[str, ...], stack: ExitStack) -> list:
    """rc3 and the peers, with equal numbers of parameters."""
    inputs(c)
    weights = c.weights(E5, "efficientnet-lite0")
    layers, top = (1, 2) if c.quick else (6, 10)
    file = c.work / f"{what}.safetensors"
    workers = [stack.enter_context(c.ours("model", what, weights, file, "bfloat16", layers, top))]
    workers += [stack.enter_context(c.peer("model.py", what, weights, file, form, layers, top)) for form in forms]
    for key in ("parameters", "learning"):
        numbers = [worker.about[key] for worker in workers]
        if len(set(numbers)) > 1:
            raise RuntimeError(f"{what}: the models differ, {key}: {numbers}")
    print(
        f"  {what}: {workers[0].about['parameters']:,} parameters on each side, "
        f"{workers[0].about['learning']:,} of them learn",
        flush=True,
    )
    return workers


def training(c: Context) -> dict[str, Measured]:
    """Two processes at a time: the straight peer's step takes 10 GB, rc3's 7, and a process keeps what it freed."""
    rows = {}
    for form in ("straight", "tuned"):
        c.needs_memory(18)
        with ExitStack() as stack:
            ours, peer = workers = sides(c, "step", (form,), stack)
            if not c.quick:
                for worker in workers:  # the memory is fresh, and Inductor compiles
                    worker.ask("step")
            rows[f"training.{form}"] = measured = Measured(
                *turns(c.rounds, [lambda w=w: w.ask("step")["seconds"] for w in workers])
            )
            if form == "straight":
                rates = [peer.ask("rate")["value"] for _ in range(c.rounds)]
                rows["training.products"] = Measured(
                    [peer.about["tflop"] / seconds for seconds in measured.ours], rates
                )
            else:
                rows["training.memory"] = Measured([ours.peak_mb()], [peer.peak_mb()])
    return rows


def evaluation(c: Context) -> dict[str, Measured]:
    with ExitStack() as stack:
        workers = sides(c, "evaluation", ("tuned",), stack)
        return {
            "evaluation.rerank": Measured(
                *turns(c.rounds, [lambda w=w: w.ask("evaluation")["seconds"] for w in workers])
            )
        }
