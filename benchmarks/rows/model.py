"""The pre-training step and the retrieval evaluation: rc3_bench model and benchmarks/peers/model.py."""

from __future__ import annotations

from collections.abc import Callable

from .common import E5, PEERS, Context, Measured, Worker, finished, turns


def inputs(c: Context) -> None:
    if not (c.work / "evaluation.safetensors").exists():
        sizes = (4, 6, 8, 4) if c.quick else (64, 500, 24, 16)  # images, texts, tokens, regions
        finished([c.python, "-B", PEERS / "model.py", "input", c.work, *sizes], c.environment())


def started(c: Context, what: str) -> tuple[Callable[[], Worker], Callable[[str], Worker]]:
    """Starts of rc3 and of a peer's form, for the same work."""
    inputs(c)
    weights = c.weights(E5, "efficientnet-lite0")
    layers, top = (1, 2) if c.quick else (6, 10)
    file = c.work / f"{what}.safetensors"
    return (
        lambda: c.ours("model", what, weights, file, layers, top),
        lambda form: c.peer("model.py", what, weights, file, form, layers, top),
    )


def same_model(ours: Worker, peer: Worker) -> None:
    for key in ("parameters", "learning"):
        if ours.about[key] != peer.about[key]:
            raise RuntimeError(f"the models differ, {key}: {ours.about[key]} and {peer.about[key]}")
    print(
        f"  {ours.about['parameters']:,} parameters on each side, {ours.about['learning']:,} of them learn; "
        f"rc3 has {ours.about['precision']}",
        flush=True,
    )


def steps(c: Context, worker: Worker) -> list[float]:
    """Seconds of steps, after one in which memory is fresh and Inductor compiles."""
    if not c.quick:
        worker.ask("step")
    return [worker.ask("step")["seconds"] for _ in range(c.rounds)]


def training(c: Context) -> dict[str, Measured]:
    """One process at a time, since two take more memory than there is: rc3 again before each peer."""
    rows = {}
    ours, theirs = started(c, "step")
    for form in ("straight_bfloat16", "tuned_bfloat16", "tuned_float32"):
        c.needs_memory(14)
        with ours() as worker:
            mine, my_peak = steps(c, worker), worker.peak_mb()
        with theirs(form) as peer:
            rows[f"training.{form}"] = Measured(mine, steps(c, peer))
            same_model(worker, peer)
            if form.startswith("straight"):
                rates = [peer.ask("rate")["value"] for _ in range(c.rounds)]
                rows["training.products"] = Measured([peer.about["tflop"] / seconds for seconds in mine], rates)
            if form == f"tuned_{worker.about['precision']}":
                rows["training.memory"] = Measured([my_peak], [peer.peak_mb()])
    return rows


def evaluation(c: Context) -> dict[str, Measured]:
    ours, theirs = started(c, "evaluation")
    with ours() as worker, theirs(f"tuned_{worker.about['precision']}") as peer:
        same_model(worker, peer)
        sides = [lambda w=w: w.ask("evaluation")["seconds"] for w in (worker, peer)]
        return {"evaluation.rerank": Measured(*turns(c.rounds, sides))}
