#include "CPixelPlanes.h"

#include <string.h>

#include "processors.h"

// Eight rows of the target lie side by side, a lane of a vector each, so that no sum runs across a vector.
enum { lanes = 8 };

typedef float Floats __attribute__((ext_vector_type(lanes)));

#define INLINE static inline __attribute__((always_inline))

// Turns eight rows of eight into as many columns: three rounds that interleave halves.
INLINE void transpose(Floats rows[lanes]) {
    for (int round = 0; round < 3; round++) {
        Floats mixed[lanes];
        for (int pair = 0; pair < lanes / 2; pair++) {
            Floats low = rows[pair], high = rows[pair + lanes / 2];
            mixed[2 * pair] = __builtin_shufflevector(low, high, 0, 8, 1, 9, 2, 10, 3, 11);
            mixed[2 * pair + 1] = __builtin_shufflevector(low, high, 4, 12, 5, 13, 6, 14, 7, 15);
        }
        memcpy(rows, mixed, sizeof mixed);
    }
}

INLINE void add(Floats *sum, const float *source, float weight) {
    Floats values;
    memcpy(&values, source, sizeof values);
    *sum += values * weight;
}

// A row of the target in all columns of the source.
INLINE void resample_row(
    const float *source, ptrdiff_t row_length, ptrdiff_t width, const float *weights, ptrdiff_t taps, float *row) {
    ptrdiff_t column = 0;
    for (; column + lanes <= width; column += lanes) {
        Floats sum = 0;
        for (ptrdiff_t tap = 0; tap < taps; tap++) add(&sum, source + tap * row_length + column, weights[tap]);
        memcpy(row + column, &sum, sizeof sum);
    }
    for (; column < width; column++) {
        float sum = 0;
        for (ptrdiff_t tap = 0; tap < taps; tap++) sum += source[tap * row_length + column] * weights[tap];
        row[column] = sum;
    }
}

FOR_EACH_PROCESSOR
void rr_resample_floats(
    const float *plane, ptrdiff_t row_length, ptrdiff_t width, rr_float_axis rows, rr_float_axis columns,
    float *workspace, float *target) {
    ptrdiff_t padded = width + lanes;
    float *lines = workspace, *source = lines + padded * lanes, *resampled = source + padded * lanes;
    for (ptrdiff_t first = 0; first < rows.count; first += lanes) {
        ptrdiff_t taken = rows.count - first < lanes ? rows.count - first : lanes;
        for (ptrdiff_t row = first; row < first + taken; row++) {
            ptrdiff_t weight = rows.firsts[row];
            resample_row(
                plane + rows.starts[row] * row_length, row_length, width, rows.weights + weight,
                rows.firsts[row + 1] - weight, lines + (row - first) * padded);
        }
        for (ptrdiff_t column = 0; column < width; column += lanes) {
            Floats block[lanes];
            for (ptrdiff_t row = 0; row < lanes; row++) memcpy(&block[row], lines + row * padded + column, sizeof block[row]);
            transpose(block);
            memcpy(source + column * lanes, block, sizeof block);
        }
        for (ptrdiff_t column = 0; column < columns.count; column++) {
            const float *place = source + columns.starts[column] * lanes;
            Floats sum = 0;
            for (ptrdiff_t tap = columns.firsts[column]; tap < columns.firsts[column + 1]; tap++) {
                add(&sum, place, columns.weights[tap]);
                place += lanes;
            }
            memcpy(resampled + column * lanes, &sum, sizeof sum);
        }
        for (ptrdiff_t column = 0; column < columns.count; column += lanes) {
            ptrdiff_t count = columns.count - column < lanes ? columns.count - column : lanes;
            Floats block[lanes];
            memcpy(block, resampled + column * lanes, sizeof block);
            transpose(block);
            for (ptrdiff_t row = 0; row < taken; row++)
                memcpy(target + (first + row) * columns.count + column, &block[row], (size_t)count * sizeof(float));
        }
    }
}
