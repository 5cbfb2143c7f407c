"""The text ratio over the steps as a small diagram, with a mark at this step."""

from xml.etree import ElementTree as ET

from s2st_interleave.show.picture import Picture
from s2st_interleave.show.style import node, words

HEIGHT = 92.0


def draw(
    parent: ET.Element, picture: Picture, x: float, y: float, width: float
) -> None:
    """Draw the curve in a field of `width` and HEIGHT at (x, y); dots: the LLM reads it."""
    course, step = picture.course, picture.step
    last = max(course.points[-1][0], step, 1)
    most = max(0.1, *(ratio for _, ratio in course.points))
    left, top, right, bottom = x + 30, y + 14, x + width - 8, y + HEIGHT - 20

    def place(at: int, ratio: float) -> tuple[float, float]:
        return left + (right - left) * at / last, bottom - (bottom - top) * ratio / most

    group = node(parent, "g")
    node(group, "path", "line", d=f"M{left:.1f} {bottom:.1f}H{right:.1f}", fill="none")
    corners = [place(*point) for point in course.points]
    line = "L".join(f"{a:.1f} {b:.1f}" for a, b in corners)
    node(group, "path", "curve", d=f"M{line}", fill="none", stroke_width=1.6)
    for at in course.read_at:
        node(group, "circle", "dot", cx=place(at, 0)[0], cy=bottom, r=2)
    here_x, here_y = place(step, picture.ratio)
    mark = f"M{here_x:.1f} {bottom:.1f}V{here_y:.1f}"
    node(group, "path", "here", d=mark, stroke_width=1, stroke_dasharray="2 2")
    node(group, "circle", "here", cx=here_x, cy=here_y, r=4)
    words(group, left - 6, top + 4, f"{most:g}", 11, "dim", anchor="end")
    words(group, left - 6, bottom + 4, "0", 11, "dim", anchor="end")
    words(group, left, bottom + 15, "0", 11, "dim")
    words(group, right, bottom + 15, f"step {last}", 11, "dim", anchor="end")
    words(group, (left + right) / 2, bottom + 15, "p(step)", 11, "dim", anchor="middle")
