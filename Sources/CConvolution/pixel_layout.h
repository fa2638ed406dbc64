// Where the taps of a convolution meet its input, for kernels whose vectors run over pixels and samples.
//
// With few samples a vector holds neighbours of a row: all that it asks for is that the positions of the output lie
// one after the other, and what a tap meets at them too. So the input is laid out in planes, a band of rows at a time:
// under a stride s the elements whose row and column have the same remainders by s make one plane. Each row of a plane
// ends in as many zeros as the padding asks for, which serve the next row too, so that one run of vectors goes over
// all rows of a band.
#pragma once
#include "CConvolution.h"
#include <stdint.h>

// One dimension of a convolution. A tap meets the input at stride · (position + shift) + phase.
typedef struct {
    ptrdiff_t taps, stride, padding, dilation;
    // The shifts of the first and the last tap.
    ptrdiff_t least, most;
    // The phases that taps have: those of the first taps, up to where they come again.
    ptrdiff_t phases;
} rr_axis;

static inline ptrdiff_t floor_divided(ptrdiff_t value, ptrdiff_t divisor) {
    return value >= 0 ? value / divisor : -((-value + divisor - 1) / divisor);
}

static inline ptrdiff_t tap_shift(const rr_axis *axis, ptrdiff_t tap) {
    return floor_divided(tap * axis->dilation - axis->padding, axis->stride);
}

static inline ptrdiff_t tap_phase(const rr_axis *axis, ptrdiff_t tap) {
    return tap * axis->dilation - axis->padding - tap_shift(axis, tap) * axis->stride;
}

// The first tap that has the phase of this one: phases come again after a fixed number of taps.
static inline ptrdiff_t phase_index(const rr_axis *axis, ptrdiff_t tap) { return tap % axis->phases; }

static rr_axis axis_of(const rr_convolution_axis *a) {
    rr_axis axis = {
        .taps = a->kernel, .stride = a->stride, .padding = a->padding, .dilation = a->dilation, .phases = 1};
    while (axis.phases < axis.taps && axis.phases * axis.dilation % axis.stride != 0) axis.phases++;
    axis.least = tap_shift(&axis, 0);
    axis.most = tap_shift(&axis, axis.taps - 1);
    return axis;
}

// How planes of the source lie in memory, and the run of positions of the target over a band of rows.
typedef struct {
    rr_axis rows, columns;
    ptrdiff_t samples;
    // The source: its channels, extents, and the strides and phases under which it is laid out.
    ptrdiff_t channels, height, width, row_stride, column_stride, row_phases, column_phases;
    // The positions of the target in one plane.
    ptrdiff_t target_height, target_width;
    // The shifts that the target reads the source at.
    ptrdiff_t first_row, last_row, first_column, last_column;
    // The columns of a plane that hold elements of the source, and the columns from row to row.
    ptrdiff_t filled_columns, pitch;
    // The rows of the target in a band.
    ptrdiff_t band;
} rr_layout;

// The bytes of a band that the second cache holds beside the rest.
#define BAND_BYTES (384 << 10)

static inline ptrdiff_t at_least(ptrdiff_t least, ptrdiff_t value) { return value < least ? least : value; }
static inline ptrdiff_t at_most(ptrdiff_t most, ptrdiff_t value) { return value > most ? most : value; }

static inline ptrdiff_t layout_rows(const rr_layout *layout, ptrdiff_t rows) {
    return rows + layout->last_row - layout->first_row;
}

static inline ptrdiff_t channel_count(const rr_layout *layout, ptrdiff_t rows) {
    return layout->row_phases * layout->column_phases * layout_rows(layout, rows) * layout->pitch * layout->samples;
}

// The zeros before the first row.
static inline ptrdiff_t lead_count(const rr_layout *layout) {
    return (at_least(0, -layout->first_column) * layout->samples + 15) / 16 * 16;
}

// The positions from the first to the last of a band, those between the rows among them.
static inline ptrdiff_t run_count(const rr_layout *layout, ptrdiff_t rows) {
    return ((rows - 1) * layout->pitch + layout->target_width) * layout->samples;
}

static void finish_layout(rr_layout *layout, ptrdiff_t bytes) {
    const ptrdiff_t reached = layout->target_width + layout->last_column;
    const ptrdiff_t wide = (layout->width + layout->column_stride - 1) / layout->column_stride;
    layout->filled_columns = at_least(0, at_most(wide, reached));
    const ptrdiff_t zeros = at_least(at_least(0, -layout->first_column), reached - layout->filled_columns);
    layout->pitch = at_least(layout->target_width, layout->filled_columns + zeros);
    const ptrdiff_t row_bytes = layout->channels * channel_count(layout, 1) / layout_rows(layout, 1) * 4;
    const ptrdiff_t halo = layout->last_row - layout->first_row;
    const ptrdiff_t largest = at_least(1, bytes / at_least(1, row_bytes) - halo);
    const ptrdiff_t bands = (layout->target_height + largest - 1) / largest;
    layout->band = (layout->target_height + bands - 1) / bands;
}

// The layout of the input, for the output and for weight gradients.
static rr_layout input_layout(const rr_convolution *c, ptrdiff_t bytes) {
    const rr_axis rows = axis_of(&c->rows), columns = axis_of(&c->columns);
    rr_layout layout = {
        .rows = rows, .columns = columns, .samples = c->samples, .channels = c->channels, .height = c->height,
        .width = c->width, .row_stride = rows.stride, .column_stride = columns.stride, .row_phases = rows.phases,
        .column_phases = columns.phases, .target_height = c->output_height, .target_width = c->output_width,
        .first_row = rows.least, .last_row = rows.most, .first_column = columns.least, .last_column = columns.most};
    finish_layout(&layout, bytes);
    return layout;
}

// The layout of a cotangent of the output, for the transposed convolution: one plane, of which each phase of the
// input is computed by the taps that have it.
static rr_layout cotangent_layout(const rr_convolution *c, ptrdiff_t bytes) {
    const rr_axis rows = axis_of(&c->rows), columns = axis_of(&c->columns);
    rr_layout layout = {
        .rows = rows, .columns = columns, .samples = c->samples, .channels = c->outputs, .height = c->output_height,
        .width = c->output_width, .row_stride = 1, .column_stride = 1, .row_phases = 1, .column_phases = 1,
        .target_height = (c->height + rows.stride - 1) / rows.stride,
        .target_width = (c->width + columns.stride - 1) / columns.stride, .first_row = -rows.most,
        .last_row = -rows.least, .first_column = -columns.most, .last_column = -columns.least};
    finish_layout(&layout, bytes);
    return layout;
}

// A tap: what it meets, from the position of the target in the first plane of a channel, and its weight.
typedef struct {
    ptrdiff_t offset, weight;
} rr_tap;

// The elements that memory for the taps takes, of either type.
static inline ptrdiff_t tap_elements(const rr_convolution *c) {
    return c->rows.kernel * c->columns.kernel * (ptrdiff_t)(sizeof(rr_tap) / sizeof(float));
}

static ptrdiff_t input_taps(const rr_layout *layout, ptrdiff_t rows, rr_tap *taps) {
    const rr_axis *y_axis = &layout->rows, *x_axis = &layout->columns;
    const ptrdiff_t row_step = layout->pitch * layout->samples;
    ptrdiff_t count = 0;
    for (ptrdiff_t y = 0; y < y_axis->taps; y++)
        for (ptrdiff_t x = 0; x < x_axis->taps; x++) {
            const ptrdiff_t plane = phase_index(y_axis, y) * layout->column_phases + phase_index(x_axis, x);
            const ptrdiff_t row = plane * layout_rows(layout, rows) + tap_shift(y_axis, y) - layout->first_row;
            taps[count].offset = row * row_step + tap_shift(x_axis, x) * layout->samples;
            taps[count].weight = count;
            count++;
        }
    return count;
}

// The taps that have the phases of the taps `first_y` and `first_x`, as the transposed convolution meets them.
static ptrdiff_t cotangent_taps(const rr_layout *layout, ptrdiff_t first_y, ptrdiff_t first_x, rr_tap *taps) {
    const rr_axis *y_axis = &layout->rows, *x_axis = &layout->columns;
    ptrdiff_t count = 0;
    for (ptrdiff_t y = first_y; y < y_axis->taps; y += y_axis->phases)
        for (ptrdiff_t x = first_x; x < x_axis->taps; x += x_axis->phases) {
            const ptrdiff_t row = -tap_shift(y_axis, y) - layout->first_row;
            taps[count].offset = (row * layout->pitch - tap_shift(x_axis, x)) * layout->samples;
            taps[count].weight = y * x_axis->taps + x;
            count++;
        }
    return count;
}

// The positions of a band that make adding up the lanes of a weight gradient's sums cheap beside the sums.
#define GRADIENT_RUN 1024

// The layout of the input for weight gradients over positions: long runs, of as many channels as the cache holds.
static rr_layout gradient_layout(const rr_convolution *c) {
    rr_layout layout = input_layout(c, BAND_BYTES);
    const ptrdiff_t rows = at_most(c->output_height, GRADIENT_RUN / (layout.pitch * c->samples) + 1);
    const ptrdiff_t bands = (c->output_height + rows - 1) / rows;
    layout.band = (c->output_height + bands - 1) / bands;
    layout.channels = at_most(c->channels, at_least(1, BAND_BYTES / 8 / channel_count(&layout, layout.band)));
    return layout;
}

// The elements of a pixel as one word: two samples in single precision move by eight bytes.
typedef uint64_t rr_word __attribute__((may_alias, aligned(4)));

// Room for the vectors of a run that are not full, and for what the widest block reads beyond.
#define SLACK 64

static inline ptrdiff_t padded_run(const rr_layout *layout, ptrdiff_t rows) {
    return (run_count(layout, rows) + 15) / 16 * 16;
}

static ptrdiff_t layout_memory(const rr_layout *layout) {
    return lead_count(layout) + layout->channels * channel_count(layout, layout->band)
        + at_least(0, layout->last_column) * layout->samples + SLACK;
}

// The bytes of one product of a weight gradient over a small map, whose columns are unfolded, some channels at a time.
#define UNFOLDED_BYTES (256 << 10)

static inline ptrdiff_t unfolded_channels(const rr_convolution *c) {
    const ptrdiff_t bytes = c->output_height * c->output_width * c->samples * c->rows.kernel * c->columns.kernel * 4;
    return at_most(c->channels, at_least(1, UNFOLDED_BYTES / bytes));
}

static inline ptrdiff_t unfolded_pitch(const rr_convolution *c) {
    return (unfolded_channels(c) * c->rows.kernel * c->columns.kernel + 15) / 16 * 16;
}

// Whether the weight gradient is a product of unfolded columns: where a sum over positions is short, adding up the
// lanes of vectors over positions would cost more than the sum; where outputs are few, unfolding would.
static inline bool unfolds(const rr_convolution *c) {
    return c->output_height * c->output_width * c->samples <= 512 && c->outputs >= 32;
}

// The layout of as many channels as are unfolded at once.
static rr_layout unfolded_layout(const rr_convolution *c) {
    rr_layout layout = input_layout(c, BAND_BYTES);
    layout.channels = unfolded_channels(c);
    layout.band = c->output_height;
    return layout;
}

// The weights of a block of channels, as the transposed convolution takes them.
static inline ptrdiff_t transposed_weights(const rr_convolution *c) {
    return (8 * c->outputs * c->rows.kernel * c->columns.kernel + 15) / 16 * 16;
}

// The memory of any of the three for as many samples as the convolution has.
static ptrdiff_t pixel_memory_count(const rr_convolution *c) {
    const rr_layout input = input_layout(c, BAND_BYTES), cotangent = cotangent_layout(c, BAND_BYTES);
    const rr_layout shared = gradient_layout(c);
    const ptrdiff_t forward = layout_memory(&input) + 8 * (padded_run(&input, input.band) + SLACK);
    const ptrdiff_t transposed = layout_memory(&cotangent) + 8 * (padded_run(&cotangent, cotangent.band) + SLACK)
        + transposed_weights(c);
    const rr_layout part = unfolded_layout(c);
    const ptrdiff_t gradient = unfolds(c)
        ? layout_memory(&part) + unfolded_pitch(c) * c->output_height * c->output_width * c->samples
        : layout_memory(&shared) + c->outputs * padded_run(&shared, shared.band);
    return tap_elements(c) + SLACK + at_least(at_least(forward, transposed), gradient);
}
