/* plot.h - line and scatter charts as SVG texts.
 *
 * Axes may be logarithmic; points that have no place there (zero and below, not finite) are left
 * out. Labels are escaped. Pure. Thread safety: all functions.
 */
#ifndef MUSTER_SIM_PLOT_H
#define MUSTER_SIM_PLOT_H

#include "base/str.h"

#define PLOT_SERIES_MAX 12

struct plot_series {
    const char *name;
    const double *x, *y;
    size_t count;
    bool line; /* joined in their order; else points alone */
};

struct plot {
    const char *title, *x_label, *y_label;
    bool x_log, y_log;
    struct plot_series series[PLOT_SERIES_MAX];
    size_t series_count;
    const char *const *x_names; /* of 0, 1, 2 ...: categories instead of numbers; NULL: numbers */
    size_t x_name_count;
};

void plot_write(const struct plot *p, struct strbuf *svg);

#endif
