# SPDX-License-Identifier: Apache-2.0
"""Draws what a terminal shows as an SVG picture."""
from xml.sax.saxutils import escape

CELL_WIDTH, CELL_HEIGHT, FONT_SIZE = 9, 19, 15
COLOURS = {"black": "#1c1f24", "red": "#e06c75", "green": "#98c379", "brown": "#e5c07b", "blue": "#61afef",
           "magenta": "#c678dd", "cyan": "#56b6c2", "white": "#d7dae0"}
FOREGROUND, BACKGROUND = "#d7dae0", "#1c1f24"


def colour(name, default):
    if name == "default":
        return default
    return COLOURS.get(name.removeprefix("bright"), f"#{name}" if len(name) == 6 else default)


def look(cell):
    front, back = colour(cell.fg, FOREGROUND), colour(cell.bg, BACKGROUND)
    return (back, front, cell.bold) if cell.reverse else (front, back, cell.bold)


def runs(cells, row):
    """The stretches of one row that look the same: (column, text, front, back, bold)."""
    found = []
    for column in range(cells.columns):
        cell = cells.buffer[row][column]
        style = look(cell)
        if found and found[-1][2:] == style:
            found[-1] = (found[-1][0], found[-1][1] + cell.data, *style)
        else:
            found.append((column, cell.data, *style))
    return found


def svg(cells):
    """cells: a pyte.Screen. Each stretch is stretched to its columns, whatever font the reader has."""
    width, height = cells.columns * CELL_WIDTH + 16, cells.lines * CELL_HEIGHT + 16
    lines = [f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" '
             f'viewBox="0 0 {width} {height}" role="img">',
             f'<rect width="{width}" height="{height}" rx="6" fill="{BACKGROUND}"/>',
             f'<g font-family="DejaVu Sans Mono, Menlo, Consolas, monospace" font-size="{FONT_SIZE}" '
             'xml:space="preserve">']
    for row in range(cells.lines):
        top = row * CELL_HEIGHT + 8
        for column, text, front, back, bold in runs(cells, row):
            left, long = column * CELL_WIDTH + 8, len(text) * CELL_WIDTH
            if back != BACKGROUND:
                lines.append(f'<rect x="{left}" y="{top}" width="{long}" height="{CELL_HEIGHT}" fill="{back}"/>')
            if text.strip():
                weight = ' font-weight="bold"' if bold else ""
                lines.append(f'<text x="{left}" y="{top + 15}" textLength="{long}" lengthAdjust="spacing" '
                             f'fill="{front}"{weight}>{escape(text)}</text>')
    return "\n".join(lines + ["</g>", "</svg>"]) + "\n"
