"""Charts as SVG, by hand: lines over logarithmic axes, and bars beside a mark.

Each chart brings its own light ground, so that it can be read on a dark page too.
"""
import html
import math

WIDTH, HEIGHT = 860, 440
LEFT, RIGHT, TOP, BOTTOM = 70, 190, 44, 56
COLOURS = ("#0b6e4f", "#c1121f", "#2660a4", "#b35c00", "#7a3e9d", "#4d6b1f", "#9a1750", "#17707f")
HEAD = ('<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {w} {h}" font-family="sans-serif" '
        'font-size="12" fill="#1f2328" role="img" aria-label="{title}">\n<title>{title}</title>\n'
        '<rect width="{w}" height="{h}" rx="8" fill="#fdfdfb" stroke="#d0d7de"/>\n'
        '<text x="{x}" y="26" font-size="15" font-weight="600">{title}</text>\n')


def number(value):
    for limit, unit in ((1e6, "M"), (1e3, "k")):
        if abs(value) >= limit:
            return f"{value / limit:g}{unit}"
    return f"{value:g}"


def text(x, y, words, anchor="start", extra=""):
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}"{extra}>{html.escape(words)}</text>\n'


class Axis:
    """A logarithmic axis over whole steps of 1, 2, 5 times a power of ten."""

    def __init__(self, values, start, end):
        self.low, self.high = min(values) / 1.15, max(values) * 1.15
        self.start, self.end = start, end

    def at(self, value):
        share = math.log(value / self.low) / math.log(self.high / self.low)
        return self.start + share * (self.end - self.start)

    def ticks(self):
        every = (1,) if self.high / self.low > 3000 else (1, 2, 5)
        powers = range(math.floor(math.log10(self.low)), math.ceil(math.log10(self.high)) + 1)
        ticks = [step * 10.0 ** power for power in powers for step in every]
        return [t for t in ticks if self.low <= t <= self.high]


def lines(title, x_label, y_label, series):
    """`series`: (name, [(x, y), ...], dashed) with numbers above 0; those without a place are left out."""
    series = [(name, [(x, y) for x, y in points if x > 0 and y > 0], dashed)
              for name, points, dashed in series]
    points = [p for _, some, _ in series for p in some]
    out = [HEAD.format(w=WIDTH, h=HEIGHT, x=LEFT, title=html.escape(title))]
    if not points:
        return "".join(out) + text(LEFT, HEIGHT / 2, "nothing was measured") + "</svg>\n"
    x_axis = Axis([x for x, _ in points], LEFT, WIDTH - RIGHT)
    y_axis = Axis([y for _, y in points], HEIGHT - BOTTOM, TOP)
    for tick in x_axis.ticks():
        x = x_axis.at(tick)
        out.append(f'<path d="M{x:.1f} {TOP}V{HEIGHT - BOTTOM}" stroke="#e3e6e8"/>\n')
        out.append(text(x, HEIGHT - BOTTOM + 18, number(tick), "middle"))
    for tick in y_axis.ticks():
        y = y_axis.at(tick)
        out.append(f'<path d="M{LEFT} {y:.1f}H{WIDTH - RIGHT}" stroke="#e3e6e8"/>\n')
        out.append(text(LEFT - 8, y + 4, number(tick), "end"))
    out.append(text((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 14, x_label, "middle"))
    turned = f' transform="rotate(-90 18 {(TOP + HEIGHT - BOTTOM) / 2})"'
    out.append(text(18, (TOP + HEIGHT - BOTTOM) / 2, y_label, "middle", turned))
    for i, (name, some, dashed) in enumerate(series):
        colour, dash = COLOURS[i // 2 % len(COLOURS)], ' stroke-dasharray="6 4"' if dashed else ""
        places = [(x_axis.at(x), y_axis.at(y)) for x, y in some]
        path = " ".join(f"{'ML'[k > 0]}{x:.1f} {y:.1f}" for k, (x, y) in enumerate(places))
        out.append(f'<path d="{path}" fill="none" stroke="{colour}" stroke-width="2"{dash}/>\n')
        out += [f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="{colour}"/>\n' for x, y in places]
        row = TOP + 10 + 20 * i
        out.append(f'<path d="M{WIDTH - RIGHT + 16} {row - 4}h26" stroke="{colour}" '
                   f'stroke-width="2"{dash}/>\n')
        out.append(text(WIDTH - RIGHT + 48, row, name))
    return "".join(out) + "</svg>\n"


def bars(title, mark, rows):
    """`rows`: (words, how many times what was aimed at; below 1 is better). A mark stands at 1."""
    height, left = TOP + 26 * len(rows) + 40, 330
    out = [HEAD.format(w=WIDTH, h=height, x=24, title=html.escape(title))]
    rows = [(words, max(value, 0.02)) for words, value in rows]
    axis = Axis([v for _, v in rows] + [0.1, 4], left, WIDTH - 90)
    one = axis.at(1)
    for i, (words, value) in enumerate(rows):
        y, x = TOP + 26 * i, axis.at(value)
        colour = "#0b6e4f" if value <= 1 else "#c1121f"
        out.append(text(left - 10, y + 16, words, "end"))
        out.append(f'<rect x="{left}" y="{y + 4}" width="{max(x - left, 1):.1f}" height="16" rx="2" '
                   f'fill="{colour}"/>\n')
    out.append(f'<path d="M{one:.1f} {TOP}V{height - 34}" stroke="#1f2328" stroke-width="1.5" '
               f'stroke-dasharray="4 3"/>\n')
    halo = ' paint-order="stroke" stroke="#fdfdfb" stroke-width="4"'
    out += [text(axis.at(value) + 6, TOP + 26 * i + 16, f"{value:.2f}", "start", halo)
            for i, (_, value) in enumerate(rows)]
    out.append(text(one, height - 16, mark, "middle"))
    return "".join(out) + "</svg>\n"
