"""matplotlib's way to the outside: figures are drawn to PNG and shown beside the program's result."""

import io
import weakref

from matplotlib import _pylab_helpers
from matplotlib.backend_bases import FigureManagerBase
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from mneme_runtime import display

#: Figures that were given to `display`, or were the program's value.
_displayed = weakref.WeakSet()


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


def _show(figure):
    if figure not in _displayed and (figure.axes or figure.texts or figure.images):
        display.display(figure)


def _png(figure):
    """The form of a figure that `display` looks for."""
    drawn = io.BytesIO()
    figure.savefig(drawn, format="png", bbox_inches="tight")
    _displayed.add(figure)
    return drawn.getvalue()


Figure._repr_png_ = _png
