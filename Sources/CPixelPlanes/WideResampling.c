#include "CPixelPlanes.h"

// Four samples at once by the byte products of AVX-512 VNNI, which come out exact: a weight is three digits to the base 256,
// from -128 to 127, each summed apart.

#if defined(__x86_64__)

#include <immintrin.h>
#include <string.h>

enum { lanes = 16, taps = 4, digits = 3, largest_quad_count = 4, register_size = 64, reach = 2 * register_size };
// As many rows stay in the nearest cache while their columns are taken.
enum { row_block = 32 };

#define WIDE __attribute__((target("avx512f,avx512bw,avx512vl,avx512vbmi,avx512vnni")))
#define INLINE_WIDE static inline __attribute__((always_inline)) WIDE

// Four taps of sixteen target columns: where they lie, counted from the first column's first tap, and the digits of their
// weights, lowest first. A tap that is none weighs 0.
typedef struct {
    uint8_t places[lanes * taps];
    int8_t weights[digits][lanes * taps];
} quad;

bool rr_has_wide_resampling(void) {
    return __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl")
        && __builtin_cpu_supports("avx512vbmi") && __builtin_cpu_supports("avx512vnni");
}

static ptrdiff_t least(ptrdiff_t a, ptrdiff_t b) { return a < b ? a : b; }

// The lowest digit of a weight, which loses it.
static inline int8_t take_digit(int32_t *weight) {
    int8_t digit = (int8_t)(uint8_t)*weight;
    *weight = (*weight - digit) >> 8;
    return digit;
}

// How many quads the columns take; 0 where sixteen of them reach too far.
static ptrdiff_t quad_count(rr_resampling_axis axis) {
    ptrdiff_t largest = 1;
    for (ptrdiff_t first = 0; first < axis.count; first += lanes) {
        ptrdiff_t start = axis.windows[first].start;
        for (ptrdiff_t position = first; position < least(first + lanes, axis.count); position++) {
            rr_resampling_window window = axis.windows[position];
            if (window.start < start || window.start + window.count - start > reach) return 0;
            if (window.count > largest) largest = window.count;
        }
    }
    ptrdiff_t count = (largest + taps - 1) / taps;
    return count > largest_quad_count ? 0 : count;
}

static void prepare_group(rr_resampling_axis axis, ptrdiff_t first, quad *quads, ptrdiff_t count) {
    memset(quads, 0, (size_t)count * sizeof *quads);
    for (ptrdiff_t lane = 0; lane < least(lanes, axis.count - first); lane++) {
        rr_resampling_window window = axis.windows[first + lane];
        for (ptrdiff_t tap = 0; tap < window.count; tap++) {
            quad *quad = quads + tap / taps;
            ptrdiff_t place = lane * taps + tap % taps;
            quad->places[place] = (uint8_t)(window.start - axis.windows[first].start + tap);
            int32_t weight = axis.weights[window.first_weight + tap];
            for (int digit = 0; digit < digits; digit++) quad->weights[digit][place] = take_digit(&weight);
        }
    }
}

static __mmask64 mask(ptrdiff_t count) {
    return count >= register_size ? ~0ull : count > 0 ? (1ull << count) - 1 : 0;
}

INLINE_WIDE __m512i rounded(const __m512i *sums) {
    __m512i sum = _mm512_add_epi32(
        sums[0], _mm512_add_epi32(_mm512_slli_epi32(sums[1], 8), _mm512_slli_epi32(sums[2], 16)));
    return _mm512_srli_epi32(sum, RR_RESAMPLING_PRECISION);
}

INLINE_WIDE void begin(__m512i *sums) {
    sums[0] = _mm512_set1_epi32(1 << (RR_RESAMPLING_PRECISION - 1));
    sums[1] = sums[2] = _mm512_setzero_si512();
}

// Sixteen target columns of some rows. The count of quads is a constant to the compiler, so that they stay in registers.
INLINE_WIDE void resample_group(
    const quad *quads, ptrdiff_t count, const uint8_t *source, ptrdiff_t width, ptrdiff_t available, ptrdiff_t rows,
    uint8_t *target, ptrdiff_t target_width, ptrdiff_t target_available) {
    __m512i places[largest_quad_count], weights[largest_quad_count][digits];
    for (ptrdiff_t index = 0; index < count; index++) {
        places[index] = _mm512_loadu_si512(quads[index].places);
        for (int digit = 0; digit < digits; digit++)
            weights[index][digit] = _mm512_loadu_si512(quads[index].weights[digit]);
    }
    __mmask64 low_mask = mask(available), high_mask = mask(available - register_size);
    __mmask16 target_mask = (__mmask16)mask(target_available);
    for (ptrdiff_t row = 0; row < rows; row++, source += width, target += target_width) {
        __m512i low = _mm512_maskz_loadu_epi8(low_mask, source);
        __m512i high = _mm512_maskz_loadu_epi8(high_mask, source + register_size);
        __m512i sums[digits];
        begin(sums);
        for (ptrdiff_t index = 0; index < count; index++) {
            __m512i samples = _mm512_permutex2var_epi8(low, places[index], high);
            for (int digit = 0; digit < digits; digit++)
                sums[digit] = _mm512_dpbusd_epi32(sums[digit], samples, weights[index][digit]);
        }
        _mm_mask_storeu_epi8(target, target_mask, _mm512_cvtusepi32_epi8(rounded(sums)));
    }
}

INLINE_WIDE void resample_block(
    const quad *quads, ptrdiff_t count, const uint8_t *source, ptrdiff_t width, ptrdiff_t rows, rr_resampling_axis axis,
    uint8_t *target) {
    for (ptrdiff_t first = 0; first < axis.count; first += lanes, quads += count) {
        ptrdiff_t start = axis.windows[first].start;
        resample_group(
            quads, count, source + start, width, width - start, rows, target + first, axis.count, axis.count - first);
    }
}

WIDE bool rr_resample_columns_wide(
    const uint8_t *planes, ptrdiff_t plane_count, ptrdiff_t plane_size, ptrdiff_t rows, ptrdiff_t width,
    rr_resampling_axis axis, uint8_t *workspace, uint8_t *target) {
    ptrdiff_t count = quad_count(axis);
    if (count == 0) return false;
    quad *quads = (quad *)workspace;
    for (ptrdiff_t first = 0; first < axis.count; first += lanes)
        prepare_group(axis, first, quads + first / lanes * count, count);
    for (ptrdiff_t index = 0; index < plane_count; index++) {
        for (ptrdiff_t row = 0; row < rows; row += row_block) {
            const uint8_t *source = planes + index * plane_size + row * width;
            uint8_t *place = target + (index * rows + row) * axis.count;
            ptrdiff_t taken = least(row_block, rows - row);
            switch (count) {
            case 1: resample_block(quads, 1, source, width, taken, axis, place); break;
            case 2: resample_block(quads, 2, source, width, taken, axis, place); break;
            case 3: resample_block(quads, 3, source, width, taken, axis, place); break;
            default: resample_block(quads, 4, source, width, taken, axis, place);
            }
        }
    }
    return true;
}

// Four samples of each of 64 columns side by side, in the order in which `_mm512_packus` takes them apart.
INLINE_WIDE void interleave(const __m512i *rows, __m512i *columns) {
    __m512i low = _mm512_unpacklo_epi8(rows[0], rows[1]), high = _mm512_unpackhi_epi8(rows[0], rows[1]);
    __m512i next_low = _mm512_unpacklo_epi8(rows[2], rows[3]), next_high = _mm512_unpackhi_epi8(rows[2], rows[3]);
    columns[0] = _mm512_unpacklo_epi16(low, next_low);
    columns[1] = _mm512_unpackhi_epi16(low, next_low);
    columns[2] = _mm512_unpacklo_epi16(high, next_high);
    columns[3] = _mm512_unpackhi_epi16(high, next_high);
}

WIDE void rr_resample_rows_wide(
    const uint8_t *plane, ptrdiff_t width, rr_resampling_axis axis, ptrdiff_t first_row, uint8_t *target,
    ptrdiff_t row_length) {
    for (ptrdiff_t position = 0; position < axis.count; position++) {
        rr_resampling_window window = axis.windows[position];
        const uint8_t *source = plane + (window.start - first_row) * width;
        for (ptrdiff_t column = 0; column < width; column += register_size) {
            __mmask64 taken = mask(width - column);
            __m512i sums[taps][digits];
            for (int part = 0; part < taps; part++) begin(sums[part]);
            for (ptrdiff_t tap = 0; tap < window.count; tap += taps) {
                __m512i rows[taps], columns[taps];
                uint32_t weights[digits] = {0};
                for (ptrdiff_t row = 0; row < taps; row++) {
                    bool is_tap = tap + row < window.count;
                    rows[row] = _mm512_maskz_loadu_epi8(is_tap ? taken : 0, source + (tap + row) * width + column);
                    int32_t weight = is_tap ? axis.weights[window.first_weight + tap + row] : 0;
                    for (int digit = 0; digit < digits; digit++)
                        weights[digit] |= (uint32_t)(uint8_t)take_digit(&weight) << 8 * row;
                }
                interleave(rows, columns);
                for (int digit = 0; digit < digits; digit++) {
                    __m512i weight = _mm512_set1_epi32((int32_t)weights[digit]);
                    for (int part = 0; part < taps; part++)
                        sums[part][digit] = _mm512_dpbusd_epi32(sums[part][digit], columns[part], weight);
                }
            }
            __m512i low = _mm512_packus_epi32(rounded(sums[0]), rounded(sums[1]));
            __m512i high = _mm512_packus_epi32(rounded(sums[2]), rounded(sums[3]));
            _mm512_mask_storeu_epi8(
                target + position * row_length + column, taken, _mm512_packus_epi16(low, high));
        }
    }
}

#else

bool rr_has_wide_resampling(void) { return false; }

bool rr_resample_columns_wide(
    const uint8_t *planes, ptrdiff_t plane_count, ptrdiff_t plane_size, ptrdiff_t rows, ptrdiff_t width,
    rr_resampling_axis axis, uint8_t *workspace, uint8_t *target) {
    (void)planes, (void)plane_count, (void)plane_size, (void)rows, (void)width, (void)axis, (void)workspace, (void)target;
    return false;
}

void rr_resample_rows_wide(
    const uint8_t *plane, ptrdiff_t width, rr_resampling_axis axis, ptrdiff_t first_row, uint8_t *target,
    ptrdiff_t row_length) {
    rr_resample_rows(plane, width, axis, first_row, target, row_length);
}

#endif
