"""Paper style and the plots that several figures share. Matplotlib only."""

from typing import TYPE_CHECKING

from avax.plotting.grid import NOT_RUN as NOT_RUN
from avax.plotting.grid import boundary_band as boundary_band
from avax.plotting.grid import boundary_line as boundary_line
from avax.plotting.grid import cells as cells
from avax.plotting.grid import is_log as is_log
from avax.plotting.grid import map_of as map_of
from avax.plotting.grid import name_unrun as name_unrun
from avax.plotting.grid import phase_map as phase_map
from avax.plotting.grid import tick_values as tick_values
from avax.plotting.grid import to_position as to_position
from avax.plotting.lines import DIVERGED as DIVERGED
from avax.plotting.lines import Row as Row
from avax.plotting.lines import cross as cross
from avax.plotting.lines import forest as forest
from avax.plotting.lines import label_ends as label_ends
from avax.plotting.lines import mark_diverged as mark_diverged
from avax.plotting.lines import mark_lost as mark_lost
from avax.plotting.lines import plot_band as plot_band
from avax.plotting.lines import plot_until as plot_until
from avax.plotting.means import mean_level as mean_level
from avax.plotting.means import mean_line as mean_line
from avax.plotting.means import spread_ticks as spread_ticks
from avax.plotting.palette import ARMS as ARMS
from avax.plotting.palette import BAND as BAND
from avax.plotting.palette import NO_EFFECT as NO_EFFECT
from avax.plotting.palette import arms as arms
from avax.plotting.palette import role as role
from avax.plotting.style import LEAST_TYPE as LEAST_TYPE
from avax.plotting.style import MOST_LINES as MOST_LINES
from avax.plotting.style import MOST_PANELS as MOST_PANELS
from avax.plotting.style import STYLE as STYLE
from avax.plotting.style import WIDTHS as WIDTHS
from avax.plotting.style import colour_map as colour_map
from avax.plotting.style import drawings as drawings
from avax.plotting.style import letter as letter
from avax.plotting.style import letters as letters
from avax.plotting.style import new_figure as new_figure
from avax.plotting.style import paper_figure as paper_figure
from avax.plotting.style import save as save
from avax.plotting.style import stem_of as stem_of
from avax.plotting.style import whole_ticks as whole_ticks
from avax.plotting.style import with_doubts as with_doubts

if TYPE_CHECKING:  # else where it is used: it would take a fifth of the time to start
    from matplotlib.axes import Axes as Axes
    from matplotlib.figure import Figure as Figure
