// The samples of pixels, brought from side by side, (H, W, C), to a plane for each channel, (C, H, W), and planes brought to
// another size.
//
// In C because Swift compiles for the oldest processor only, on which this takes ten times as long.
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// Spreads `count` pixels of 2, 3 or 4 channels over planes that begin `plane_size` bytes apart.
void rr_separate(const uint8_t *pixels, ptrdiff_t channels, ptrdiff_t count, uint8_t *planes, ptrdiff_t plane_size);

// The source positions that count for a target position, and where their weights begin.
typedef struct {
    ptrdiff_t start;
    ptrdiff_t count;
    ptrdiff_t first_weight;
} rr_resampling_window;

// The rows or the columns of a target, with weights of RR_RESAMPLING_PRECISION binary places, none below 0.
typedef struct {
    const rr_resampling_window *windows;
    const int32_t *weights;
    ptrdiff_t count;
} rr_resampling_axis;

enum { RR_RESAMPLING_PRECISION = 22 };

// What resampling of columns works in, for rows of `width` samples that become `count`: so many bytes.
static inline ptrdiff_t rr_resampling_workspace(ptrdiff_t width, ptrdiff_t count) {
    return 16 * (width + 32) + 64 * (count + 16);
}

// Brings `rows` rows of `width` samples, of planes that begin `plane_size` bytes apart, to rows of `axis.count`, plane after
// plane.
void rr_resample_columns(
    const uint8_t *planes, ptrdiff_t plane_count, ptrdiff_t plane_size, ptrdiff_t rows, ptrdiff_t width,
    rr_resampling_axis axis, uint8_t *workspace, uint8_t *target);

// Brings rows of `width` samples, of which `plane` has those from `first_row` on, to `axis.count` rows that begin `row_length`
// samples apart.
void rr_resample_rows(
    const uint8_t *plane, ptrdiff_t width, rr_resampling_axis axis, ptrdiff_t first_row, uint8_t *target,
    ptrdiff_t row_length);

// Whether the processor has what the next two functions take. They give the same bytes as the two above.
bool rr_has_wide_resampling(void);

// The first does nothing and returns false where neighbouring columns lie too far apart for it.
bool rr_resample_columns_wide(
    const uint8_t *planes, ptrdiff_t plane_count, ptrdiff_t plane_size, ptrdiff_t rows, ptrdiff_t width,
    rr_resampling_axis axis, uint8_t *workspace, uint8_t *target);

void rr_resample_rows_wide(
    const uint8_t *plane, ptrdiff_t width, rr_resampling_axis axis, ptrdiff_t first_row, uint8_t *target,
    ptrdiff_t row_length);

// The rows or the columns of a target: where the source of each begins, and its weights, from `firsts[i]` to `firsts[i + 1]`.
typedef struct {
    const ptrdiff_t *starts;
    const ptrdiff_t *firsts;
    const float *weights;
    ptrdiff_t count;
} rr_float_axis;

// Brings `width` columns of a plane, whose rows begin `row_length` apart, to `columns.count` columns and `rows.count` rows: rows
// first, columns then, sums from the first weight to the last. The workspace has sixteen elements
// for each column of the source, eight for each of the target, and 192 more.
void rr_resample_floats(
    const float *plane, ptrdiff_t row_length, ptrdiff_t width, rr_float_axis rows, rr_float_axis columns,
    float *workspace, float *target);
