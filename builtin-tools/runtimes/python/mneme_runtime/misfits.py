"""What is wrong with values that do not fit."""

import dataclasses


@dataclasses.dataclass
class Problem:
    """One value that does not fit. `kind` is a word such as `int_parsing`; `loc` leads to the value."""

    loc: tuple
    message: str
    kind: str
    input: object

    def told(self, start=""):
        """In a line, such as `items[0].price: must be a number`."""
        path = start
        for step in self.loc:
            path += f"[{step}]" if isinstance(step, int) else f".{step}" if path else str(step)
        return f"{path}: {self.message}"


class Misfit(Exception):
    """Values that do not fit."""

    def __init__(self, problems):
        super().__init__("; ".join(problem.told() for problem in problems))
        self.problems = problems

    def below(self, step):
        """The same problems, seen from the value that contains this one."""
        return Misfit([dataclasses.replace(problem, loc=(step, *problem.loc)) for problem in self.problems])


def misfit(value, message, kind):
    """A single problem with the value itself."""
    return Misfit([Problem((), message, kind, value)])
