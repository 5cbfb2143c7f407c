"""Tables of text for the screen."""

from collections.abc import Callable, Sequence


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Text columns of equal width, aligned left."""
    return _aligned(head, rows, str.ljust)


def number_table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Text columns of equal width: the first is aligned left, the others right."""
    return _aligned(head, rows, str.rjust)


def _aligned(
    head: Sequence[str],
    rows: Sequence[Sequence[str]],
    align: Callable[[str, int], str],
) -> str:
    widths = [max(map(len, column)) for column in zip(head, *rows, strict=True)]

    def line(row: Sequence[str]) -> str:
        first, *rest = zip(row, widths, strict=True)
        return "  ".join([str.ljust(*first), *(align(*cell) for cell in rest)]).rstrip()

    return "\n".join(map(line, [head, *rows]))
