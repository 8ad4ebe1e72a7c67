/* plot.c - charts as SVG. */
#include "sim/plot.h"

#include <math.h>

enum { WIDTH = 860, HEIGHT = 480, LEFT = 70, RIGHT = 170, TOP = 40, BOTTOM = 70, TICKS = 6 };

static const char *const colours[PLOT_SERIES_MAX] = {"#0b6e4f", "#c1121f", "#f77f00", "#3a86ff",
                                                     "#8338ec", "#7f5539", "#6c757d", "#ff5d8f",
                                                     "#2a9d8f", "#606c38", "#14213d", "#bc6c25"};

struct axis {
    bool log;
    double low, high; /* of the values, or of their logarithms */
    double from, to;  /* pixels */
};

static bool has_place(const struct axis *a, double value) {
    return isfinite(value) && (!a->log || value > 0);
}

static double scaled(const struct axis *a, double value) {
    double v = a->log ? log10(value) : value;
    return a->from + (v - a->low) / (a->high - a->low) * (a->to - a->from);
}

static struct axis fit_axis(const struct plot *p, bool x) {
    struct axis a = {x ? p->x_log : p->y_log, INFINITY, -INFINITY, 0, 0};
    for (size_t s = 0; s < p->series_count; s++) {
        const double *values = x ? p->series[s].x : p->series[s].y;
        for (size_t i = 0; i < p->series[s].count; i++) {
            if (!has_place(&a, values[i])) continue;
            double v = a.log ? log10(values[i]) : values[i];
            a.low = fmin(a.low, v);
            a.high = fmax(a.high, v);
        }
    }
    if (!a.log) a.low = fmin(a.low, 0);
    if (!(a.low < a.high)) {
        a.low = isfinite(a.low) ? a.low - 0.5 : 0;
        a.high = a.low + 1;
    }
    double margin = 0.04 * (a.high - a.low);
    a.high += margin;
    if (a.log || x) a.low -= margin;
    a.from = x ? LEFT : HEIGHT - BOTTOM;
    a.to = x ? WIDTH - RIGHT : TOP;
    return a;
}

static void add_escaped(struct strbuf *out, const char *text) {
    for (; *text; text++) {
        if (*text == '<')
            strbuf_add_str(out, STR("&lt;"));
        else if (*text == '&')
            strbuf_add_str(out, STR("&amp;"));
        else
            strbuf_add_char(out, *text);
    }
}

struct label {
    double x, y;
    const char *anchor; /* "start", "middle", "end" */
    int turned;         /* degrees */
};

static void add_label(struct strbuf *out, struct label at, const char *text) {
    strbuf_printf(out, "<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"%s\"", at.x, at.y, at.anchor);
    if (at.turned) strbuf_printf(out, " transform=\"rotate(%d %.1f %.1f)\"", at.turned, at.x, at.y);
    strbuf_add_char(out, '>');
    add_escaped(out, text);
    strbuf_add_str(out, STR("</text>\n"));
}

static void add_number(struct strbuf *out, struct label at, double value) {
    struct strbuf text = {0};
    strbuf_printf(&text, "%.3g", value);
    add_label(out, at, text.at);
    strbuf_fini(&text);
}

/* Steps of 1, 2 or 5 times a power of ten; on a logarithmic axis evenly in the logarithm. */
static double tick_step(const struct axis *a) {
    double raw = (a->high - a->low) / TICKS;
    if (a->log) return raw;
    double power = pow(10, floor(log10(raw))), rest = raw / power;
    return power * (rest <= 1 ? 1 : rest <= 2 ? 2 : rest <= 5 ? 5 : 10);
}

static void add_grid_line(struct strbuf *out, const struct axis *a, double at, bool x) {
    double pixel = a->from + (at - a->low) / (a->high - a->low) * (a->to - a->from);
    double value = a->log ? pow(10, at) : at;
    if (x) {
        strbuf_printf(out, "<path d=\"M%.1f %d V%d\" class=\"grid\"/>\n", pixel, TOP,
                      HEIGHT - BOTTOM);
        add_number(out, (struct label){pixel, HEIGHT - BOTTOM + 16, "middle", 0}, value);
    } else {
        strbuf_printf(out, "<path d=\"M%d %.1f H%d\" class=\"grid\"/>\n", LEFT, pixel,
                      WIDTH - RIGHT);
        add_number(out, (struct label){LEFT - 6, pixel + 4, "end", 0}, value);
    }
}

static void add_axis(struct strbuf *out, const struct plot *p, const struct axis *a, bool x) {
    if (x && p->x_names) {
        for (size_t i = 0; i < p->x_name_count; i++) {
            struct label at = {scaled(a, (double)i), HEIGHT - BOTTOM + 14, "end", -35};
            add_label(out, at, p->x_names[i]);
        }
        return;
    }
    double step = tick_step(a);
    for (double at = ceil(a->low / step) * step; at <= a->high; at += step)
        add_grid_line(out, a, at, x);
}

static void add_series(struct strbuf *out, const struct plot *p, size_t s,
                       const struct axis *axes) {
    const struct plot_series *series = &p->series[s];
    const char *colour = colours[s % PLOT_SERIES_MAX];
    struct strbuf line = {0};
    for (size_t i = 0; i < series->count; i++) {
        if (!has_place(&axes[0], series->x[i]) || !has_place(&axes[1], series->y[i])) continue;
        double x = scaled(&axes[0], series->x[i]), y = scaled(&axes[1], series->y[i]);
        strbuf_printf(out, "<circle cx=\"%.1f\" cy=\"%.1f\" r=\"3.5\" fill=\"%s\"/>\n", x, y,
                      colour);
        strbuf_printf(&line, "%s%.1f %.1f", line.size ? " L" : "M", x, y);
    }
    if (series->line && line.size)
        strbuf_printf(out, "<path d=\"%s\" fill=\"none\" stroke=\"%s\" stroke-width=\"2\"/>\n",
                      line.at, colour);
    strbuf_fini(&line);
    double y = TOP + 14 + 20 * (double)s;
    strbuf_printf(out, "<circle cx=\"%d\" cy=\"%.1f\" r=\"5\" fill=\"%s\"/>\n", WIDTH - RIGHT + 20,
                  y - 4, colour);
    add_label(out, (struct label){WIDTH - RIGHT + 32, y, "start", 0}, series->name);
}

void plot_write(const struct plot *p, struct strbuf *svg) {
    struct axis axes[2] = {fit_axis(p, true), fit_axis(p, false)};
    strbuf_printf(svg,
                  "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %d %d\" "
                  "font-family=\"sans-serif\" font-size=\"12\">\n"
                  "<style>.grid{stroke:#ddd;fill:none}</style>\n"
                  "<rect width=\"100%%\" height=\"100%%\" fill=\"white\"/>\n",
                  WIDTH, HEIGHT);
    add_axis(svg, p, &axes[0], true);
    add_axis(svg, p, &axes[1], false);
    strbuf_printf(svg, "<path d=\"M%d %d V%d H%d\" fill=\"none\" stroke=\"#333\"/>\n", LEFT, TOP,
                  HEIGHT - BOTTOM, WIDTH - RIGHT);
    for (size_t s = 0; s < p->series_count; s++)
        add_series(svg, p, s, axes);
    add_label(svg, (struct label){LEFT, 24, "start", 0}, p->title);
    add_label(svg, (struct label){(LEFT + WIDTH - RIGHT) / 2.0, HEIGHT - 12, "middle", 0},
              p->x_label);
    add_label(svg, (struct label){16, (TOP + HEIGHT - BOTTOM) / 2.0, "middle", -90}, p->y_label);
    strbuf_add_str(svg, STR("</svg>\n"));
}
