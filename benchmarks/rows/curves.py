"""Growth of a cost: the fit of an exponent, and plots as SVG with logarithmic axes. Standard library only."""

from __future__ import annotations

import html
import math
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Power:
    """y = factor x^exponent, least squares of the logarithms."""

    exponent: float
    error: float | None  # standard error of the exponent; None with two points
    factor: float
    first: float  # smallest x that was fitted

    def at(self, x: float) -> float:
        return self.factor * x**self.exponent

    def in_words(self) -> str:
        return f"{self.exponent:.2f}" + ("" if self.error is None else f" ± {self.error:.2f}")


def regression(x: Sequence[float], y: Sequence[float]) -> tuple[float, float, float | None]:
    """Least squares of y = a + b x. @return a, b, standard error of b (None with two points)"""
    n, mx, my = len(x), sum(x) / len(x), sum(y) / len(y)
    sxx = sum((v - mx) ** 2 for v in x)
    b = sum((v - mx) * (w - my) for v, w in zip(x, y, strict=True)) / sxx
    a = my - b * mx
    rest = sum((w - a - b * v) ** 2 for v, w in zip(x, y, strict=True))
    return a, b, math.sqrt(rest / (n - 2) / sxx) if n > 2 else None


def power(x: Sequence[float], y: Sequence[float]) -> Power:
    """Over the upper half of the range on a logarithmic axis, where constant parts weigh least; of fewer than three
    points there, over all. Points at x = 0 do not count."""
    points = [(v, w) for v, w in zip(x, y, strict=True) if v > 0]
    middle = math.sqrt(min(v for v, _ in points) * max(v for v, _ in points))
    upper = [(v, w) for v, w in points if v >= middle * (1 - 1e-9)]
    chosen = upper if len(upper) > 2 else points
    a, b, error = regression([math.log(v) for v, _ in chosen], [math.log(w) for _, w in chosen])
    return Power(b, error, math.exp(a), min(v for v, _ in chosen))


def short(x: float) -> str:
    """A label of an axis: 500, 10k, 1M, 0.05."""
    for size, letter in ((1e6, "M"), (1e3, "k")):
        if x >= size:
            return f"{x / size:g}{letter}"
    return f"{x:g}"


def ticks(low: float, high: float) -> list[float]:
    """At least three round numbers if possible, but few."""
    powers = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    for digits in ((1,), (1, 2, 5), (1, 1.5, 2, 3, 4, 5, 7)):
        all_of = [float(f"{d}e{e}") for e in powers for d in digits]
        inside = [t for t in all_of if low <= t <= high]
        if len(inside) > 2:
            break
    return inside


@dataclass(frozen=True)
class Panel:
    title: str  # cost and unit
    x_label: str
    series: Sequence[tuple[str, Sequence[float], Sequence[float]]]  # name, x, y


STYLE = (
    "text{font:12px sans-serif;fill:#222}.t{font-weight:bold}.s{font-size:11px;fill:#555}.b{fill:#fff}"
    ".g{stroke:#e2e2e2}.a{stroke:#888}.c0{--c:#2f6feb}.c1{--c:#b3541e}.c2{--c:#1a7f37}"
    ".p{fill:var(--c)}.l{stroke:var(--c);stroke-width:1.5;fill:none}.d{stroke-dasharray:3 4}"
    "@media(prefers-color-scheme:dark){text{fill:#e6e6e6}.s{fill:#aaa}.b{fill:#161b22}.g{stroke:#30363d}"
    ".a{stroke:#777}.c0{--c:#6ea8fe}.c1{--c:#f0a070}.c2{--c:#56d364}}"
)
WIDTH, HEIGHT = 380, 270  # of a panel
LEFT, RIGHT, TOP, BOTTOM = 54, 14, 30, 42


def panel(p: Panel, left: float, top: float) -> str:
    series = [(name, *zip(*[(v, w) for v, w in zip(x, y, strict=True) if v > 0])) for name, x, y in p.series]
    xs, ys = [v for _, x, _ in series for v in x], [w for _, _, y in series for w in y]
    x_low, x_high = min(xs) / 1.15, max(xs) * 1.15
    y_low, y_high = min(ys) / 1.3, max(ys) * (1.6 + 0.45 * len(series))  # above: the legend
    x0, x1, y0, y1 = left + LEFT, left + WIDTH - RIGHT, top + HEIGHT - BOTTOM, top + TOP
    x_of = lambda v: x0 + (x1 - x0) * math.log(v / x_low) / math.log(x_high / x_low)  # noqa: E731
    y_of = lambda w: y0 - (y0 - y1) * math.log(w / y_low) / math.log(y_high / y_low)  # noqa: E731
    out = [f'<text class="t" x="{left + 10}" y="{top + 18}">{html.escape(p.title)}</text>']
    for t in ticks(x_low, x_high):
        out.append(f'<line class="g" x1="{x_of(t):.1f}" x2="{x_of(t):.1f}" y1="{y1}" y2="{y0}"/>')
        out.append(f'<text class="s" x="{x_of(t):.1f}" y="{y0 + 15}" text-anchor="middle">{short(t)}</text>')
    for t in ticks(y_low, y_high):
        out.append(f'<line class="g" x1="{x0}" x2="{x1}" y1="{y_of(t):.1f}" y2="{y_of(t):.1f}"/>')
        out.append(f'<text class="s" x="{x0 - 6}" y="{y_of(t) + 4:.1f}" text-anchor="end">{short(t)}</text>')
    out.append(f'<path class="a" fill="none" d="M{x0} {y1}V{y0}H{x1}"/>')
    out.append(f'<text class="s" x="{(x0 + x1) / 2}" y="{y0 + 32}" text-anchor="middle">{html.escape(p.x_label)}</text>')
    for k, (name, x, y) in enumerate(series):
        fit = power(x, y)
        inside = (y_low / fit.factor) ** (1 / fit.exponent) if fit.exponent > 0.05 else 0  # where the line enters
        for begin, end, dashed in ((max(min(x), inside), fit.first, " d"), (fit.first, max(x), "")):
            if begin < end and fit.at(begin) < y_high:
                out.append(
                    f'<line class="l{dashed} c{k}" x1="{x_of(begin):.1f}" y1="{y_of(fit.at(begin)):.1f}" '
                    f'x2="{x_of(end):.1f}" y2="{y_of(fit.at(end)):.1f}"/>'
                )
        out += [f'<circle class="p c{k}" cx="{x_of(v):.1f}" cy="{y_of(w):.1f}" r="3.5"/>' for v, w in zip(x, y)]
        line = y1 + 14 + 16 * k
        out.append(f'<circle class="p c{k}" cx="{x0 + 12}" cy="{line - 4}" r="3.5"/>')
        legend = f"{name + ': ' if name else ''}exponent {fit.in_words()}"
        out.append(f'<text class="s" x="{x0 + 21}" y="{line}">{html.escape(legend)}</text>')
    return "".join(out)


def svg(title: str, panels: Sequence[Panel]) -> str:
    """Panels in two columns. A filled line is fitted, a dashed one continues it."""
    columns = min(2, len(panels))
    width, height = columns * WIDTH, math.ceil(len(panels) / columns) * HEIGHT
    body = "".join(panel(p, k % columns * WIDTH, k // columns * HEIGHT) for k, p in enumerate(panels))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" viewBox="0 0 {width} {height}" '
        f'role="img"><title>{html.escape(title)}</title><style>{STYLE}</style>'
        f'<rect class="b" width="{width}" height="{height}"/>{body}</svg>\n'
    )


def self_test() -> None:
    """Known exponents come back, a constant part spoils the lower half only, and noise shows in the error."""
    x = [8, 12, 16, 24, 32, 48, 64, 96, 128]
    for exponent in (0.5, 1.0, 2.0):
        fit = power(x, [3 * v**exponent for v in x])
        assert abs(fit.exponent - exponent) < 1e-9 and abs(fit.factor - 3) < 1e-9 and fit.error < 1e-9, fit
    assert power(x, x).first == 32  # the upper half of 8 to 128
    linear = [100 + 10 * v for v in x]  # over all points 0.82
    _, all_of, _ = regression([math.log(v) for v in x], [math.log(v) for v in linear])
    assert 0.85 < power(x, linear).exponent < 0.95 and all_of < power(x, linear).exponent - 0.04
    noisy = power(x, [v * math.exp(0.1 * (-1) ** k) for k, v in enumerate(x)])
    assert abs(noisy.exponent - 1) < 3 * noisy.error and 0.05 < noisy.error < 0.3, noisy
    assert power([0, 2, 4], [9, 2, 8]).exponent == 2 and power([2, 4], [2, 8]).error is None
    a, b, error = regression([1, 2, 3], [5, 7, 9])
    assert abs(a - 3) < 1e-12 and abs(b - 2) < 1e-12 and error < 1e-12
    assert ticks(8, 128) == [10, 20, 50, 100] and ticks(9e3, 2e6) == [1e4, 1e5, 1e6] and ticks(1.8, 4.4) == [2, 3, 4]
    assert [short(v) for v in (0.05, 500, 1e4, 1e6)] == ["0.05", "500", "10k", "1M"]
    drawn = svg("x", [Panel("a", "b", [("", [1, 10], [1, 10])])])
    assert drawn.count('class="p c0"') == 3 and "exponent 1.00" in drawn  # two points and the legend
