#include "CPixelPlanes.h"

#include <string.h>

#include "processors.h"

// Rows are resampled sixteen at a time, a lane of a vector each, so that no sum runs across a vector.
enum { lanes = 16 };

typedef uint8_t Bytes __attribute__((ext_vector_type(lanes)));
typedef int32_t Sums __attribute__((ext_vector_type(lanes)));

#define INLINE static inline __attribute__((always_inline))

// Turns sixteen rows of sixteen bytes into as many columns: four rounds that interleave halves.
INLINE void transpose(Bytes rows[lanes]) {
    for (int round = 0; round < 4; round++) {
        Bytes mixed[lanes];
        for (int pair = 0; pair < lanes / 2; pair++) {
            Bytes low = rows[pair], high = rows[pair + lanes / 2];
            mixed[2 * pair] = __builtin_shufflevector(
                low, high, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
            mixed[2 * pair + 1] = __builtin_shufflevector(
                low, high, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31);
        }
        memcpy(rows, mixed, sizeof mixed);
    }
}

INLINE void add(Sums *sum, const uint8_t *samples, int32_t weight) {
    Bytes stored;
    memcpy(&stored, samples, lanes);
    *sum += __builtin_convertvector(stored, Sums) * weight;
}

// What the sums of samples, of weights that are no less than 0, become.
INLINE void store(const Sums *sum, uint8_t *samples) {
    Sums rounded = *sum >> RR_RESAMPLING_PRECISION;
    Bytes stored = __builtin_convertvector(rounded > 255 ? (Sums)255 : rounded, Bytes);
    memcpy(samples, &stored, lanes);
}

static const int32_t half = 1 << (RR_RESAMPLING_PRECISION - 1);

// A block of rows of sixteen bytes, up to sixteen, from memory and to it. Where the numbers are constants, each row is one move.
INLINE void load(Bytes block[lanes], const uint8_t *plane, ptrdiff_t rows, ptrdiff_t width, size_t count) {
    for (ptrdiff_t row = 0; row < rows; row++) memcpy(&block[row], plane + row * width, count);
}

INLINE void save(const Bytes block[lanes], uint8_t *plane, ptrdiff_t rows, ptrdiff_t width, size_t count) {
    for (ptrdiff_t row = 0; row < rows; row++) memcpy(plane + row * width, &block[row], count);
}

// Rows of `width` bytes, up to sixteen, to columns of sixteen bytes; and back.
INLINE void to_columns(const uint8_t *plane, ptrdiff_t rows, ptrdiff_t width, uint8_t *columns) {
    Bytes block[lanes] = {0};
    for (ptrdiff_t first = 0; first < width; first += lanes) {
        if (rows == lanes && width - first >= lanes)
            load(block, plane + first, lanes, width, lanes);
        else
            load(block, plane + first, rows, width, (size_t)(width - first < lanes ? width - first : lanes));
        transpose(block);
        memcpy(columns + first * lanes, block, sizeof block);
    }
}

INLINE void from_columns(const uint8_t *columns, ptrdiff_t rows, ptrdiff_t width, uint8_t *plane) {
    Bytes block[lanes];
    for (ptrdiff_t first = 0; first < width; first += lanes) {
        memcpy(block, columns + first * lanes, sizeof block);
        transpose(block);
        if (rows == lanes && width - first >= lanes)
            save(block, plane + first, lanes, width, lanes);
        else
            save(block, plane + first, rows, width, (size_t)(width - first < lanes ? width - first : lanes));
    }
}

FOR_EACH_PROCESSOR
void rr_resample_columns(
    const uint8_t *planes, ptrdiff_t plane_count, ptrdiff_t plane_size, ptrdiff_t rows, ptrdiff_t width,
    rr_resampling_axis axis, uint8_t *workspace, uint8_t *target) {
    uint8_t *source = workspace, *resampled = workspace + (width + lanes) * lanes;
    for (ptrdiff_t index = 0; index < plane_count; index++, planes += plane_size) {
        for (ptrdiff_t first = 0; first < rows; first += lanes) {
            ptrdiff_t taken = rows - first < lanes ? rows - first : lanes;
            to_columns(planes + first * width, taken, width, source);
            for (ptrdiff_t position = 0; position < axis.count; position++) {
                rr_resampling_window window = axis.windows[position];
                Sums sum = half;
                for (ptrdiff_t tap = 0; tap < window.count; tap++)
                    add(&sum, source + (window.start + tap) * lanes, axis.weights[window.first_weight + tap]);
                store(&sum, resampled + position * lanes);
            }
            from_columns(resampled, taken, axis.count, target + (index * rows + first) * axis.count);
        }
    }
}

FOR_EACH_PROCESSOR
void rr_resample_rows(
    const uint8_t *plane, ptrdiff_t width, rr_resampling_axis axis, ptrdiff_t first_row, uint8_t *target,
    ptrdiff_t row_length) {
    for (ptrdiff_t position = 0; position < axis.count; position++) {
        rr_resampling_window window = axis.windows[position];
        const uint8_t *source = plane + (window.start - first_row) * width;
        const int32_t *weights = axis.weights + window.first_weight;
        uint8_t *row = target + position * row_length;
        ptrdiff_t column = 0;
        for (; column + lanes <= width; column += lanes) {
            Sums sum = half;
            for (ptrdiff_t tap = 0; tap < window.count; tap++)
                add(&sum, source + tap * width + column, weights[tap]);
            store(&sum, row + column);
        }
        for (; column < width; column++) {
            int32_t sum = half;
            for (ptrdiff_t tap = 0; tap < window.count; tap++) sum += source[tap * width + column] * weights[tap];
            sum >>= RR_RESAMPLING_PRECISION;
            row[column] = (uint8_t)(sum > 255 ? 255 : sum);
        }
    }
}
