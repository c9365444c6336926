"""matplotlib's way to the outside: figures are drawn to PNG and shown beside the program's result."""

import io

from matplotlib import _pylab_helpers
from matplotlib.backend_bases import FigureManagerBase
from matplotlib.backends.backend_agg import FigureCanvasAgg

from mneme_runtime import display


class FigureManager(FigureManagerBase):
    """Shows figures instead of opening windows."""

    @classmethod
    def pyplot_show(cls, *, block=None):
        """`plt.show()`."""
        show_all()

    def show(self):
        """`figure.show()`."""
        _show(self.canvas.figure)


class FigureCanvas(FigureCanvasAgg):
    """Draws with matplotlib's own renderer."""

    manager_class = FigureManager


def show_all():
    """Shows every open figure, in the order of their numbers, and closes it."""
    for manager in sorted(_pylab_helpers.Gcf.get_all_fig_managers(), key=lambda manager: manager.num):
        _show(manager.canvas.figure)
    _pylab_helpers.Gcf.destroy_all()


class _Picture:
    """A figure that was drawn."""

    def __init__(self, data):
        self._data = data

    def _repr_png_(self):
        return self._data


def _show(figure):
    if not figure.axes and not figure.texts and not figure.images:
        return
    drawn = io.BytesIO()
    figure.savefig(drawn, format="png", bbox_inches="tight")
    display.display(_Picture(drawn.getvalue()))
