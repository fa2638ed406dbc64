#include "linear.h"
#include <stdbool.h>

#define MIN(a, b) ((a) < (b) ? (a) : (b))

// The most that is summed before it is added to the rest. With as many columns as a core sums at once it takes half of the cache
// next to it.
enum { PART = 96 };

// The size of the parts that an extent is cut into, evenly but for being a multiple.
static ptrdiff_t part_size(ptrdiff_t extent, ptrdiff_t multiple) {
    const ptrdiff_t parts = (extent + PART - 1) / PART;
    const ptrdiff_t size = (extent + parts - 1) / parts;
    return (size + multiple - 1) / multiple * multiple;
}

// The largest size for which there is code, and at most `most`, that does not exceed what is left.
static ptrdiff_t rows_at_once(ptrdiff_t left, ptrdiff_t most) {
    if (left >= most) return most;
    return left >= 6 ? 6 : left >= 4 ? 4 : MIN(left, 2);
}

// As many vectors as go together: what is left, shared evenly.
static ptrdiff_t vectors_at_once(ptrdiff_t left, ptrdiff_t most) {
    const ptrdiff_t times = (left + most - 1) / most;
    return (left + times - 1) / times;
}

// A part of a map that is to be read soon: rows of so many bytes, so many bytes apart.
typedef struct {
    const char *start;
    ptrdiff_t rows, step, width;
} region;

// Fetches rows of a region from memory. A core does not foresee them itself, since they lie pages apart.
static inline void fetch(const region *region, ptrdiff_t first, ptrdiff_t end) {
    for (ptrdiff_t row = first; row < MIN(end, region->rows); row++)
        for (ptrdiff_t place = 0; place < region->width; place += 64)
            __builtin_prefetch(region->start + row * region->step + place, 0, 2);
}

#define KERNELS(ELEMENT) \
    typedef struct { \
        void (*apply)(const rr_linear_map *, const ELEMENT *, const ELEMENT *, const ELEMENT *, ELEMENT *); \
        void (*add_gradient)(const rr_linear_map *, const ELEMENT *, const ELEMENT *, ELEMENT *); \
        void (*write_columns_float)(const float *, const ptrdiff_t *, ptrdiff_t, ptrdiff_t, ELEMENT *); \
        void (*write_columns_uint8_t)(const uint8_t *, const ptrdiff_t *, ptrdiff_t, ptrdiff_t, ELEMENT *); \
    } ELEMENT##_kernels;
KERNELS(float)
KERNELS(double)

#if defined(__x86_64__)
#pragma clang attribute push( \
    __attribute__((target("avx512f,avx512vl,avx512dq,avx512bw,fma"), min_vector_width(512))), apply_to = function)
#define VECTORS 4
#define ELEMENT float
#define LANES 16
#define NAME(x) avx512_float_##x
typedef float_kernels NAME(kernels_type);
#include "linear.inc"
#undef LANES
#undef NAME

// Half as wide, for fewer columns and an odd number of eights.
#define LANES 8
#define NAME(x) avx512_narrow_float_##x
typedef float_kernels NAME(kernels_type);
#include "linear.inc"
#undef ELEMENT
#undef NAME

#define ELEMENT double
#define NAME(x) avx512_double_##x
typedef double_kernels NAME(kernels_type);
#include "linear.inc"
#undef ELEMENT
#undef LANES
#undef NAME
#undef VECTORS
#pragma clang attribute pop

#pragma clang attribute push(__attribute__((target("avx2,fma"))), apply_to = function)
#define VECTORS 2
#define ELEMENT float
#define LANES 8
#define NAME(x) avx2_float_##x
typedef float_kernels NAME(kernels_type);
#include "linear.inc"
#undef ELEMENT
#undef LANES
#undef NAME

#define ELEMENT double
#define LANES 4
#define NAME(x) avx2_double_##x
typedef double_kernels NAME(kernels_type);
#include "linear.inc"
#undef ELEMENT
#undef LANES
#undef NAME
#undef VECTORS
#pragma clang attribute pop
#endif

#define VECTORS 2
#define ELEMENT float
#define LANES 4
#define NAME(x) generic_float_##x
typedef float_kernels NAME(kernels_type);
#include "linear.inc"
#undef ELEMENT
#undef LANES
#undef NAME

#define ELEMENT double
#define LANES 2
#define NAME(x) generic_double_##x
typedef double_kernels NAME(kernels_type);
#include "linear.inc"

static const float_kernels *float_version(rr_convolution_version version, bool is_wide) {
#if defined(__x86_64__)
    if (version == RR_CONVOLUTION_AVX512) return is_wide ? &avx512_float_kernels : &avx512_narrow_float_kernels;
    if (version == RR_CONVOLUTION_AVX2) return &avx2_float_kernels;
#endif
    return &generic_float_kernels;
}

static const double_kernels *double_version(rr_convolution_version version, bool is_wide) {
#if defined(__x86_64__)
    if (version == RR_CONVOLUTION_AVX512) return &avx512_double_kernels;
    if (version == RR_CONVOLUTION_AVX2) return &avx2_double_kernels;
#endif
    return &generic_double_kernels;
}

#define WRITE_COLUMNS(SOURCE, TYPE) \
    void rr_write_columns_##SOURCE##_##TYPE( \
        rr_convolution_version version, const SOURCE *batch, const ptrdiff_t *rows, ptrdiff_t columns, ptrdiff_t elements, \
        TYPE *matrix \
    ) { \
        if (columns % 8 == 0) { \
            TYPE##_version(version, columns % 16 == 0)->write_columns_##SOURCE(batch, rows, columns, elements, matrix); \
            return; \
        } \
        for (ptrdiff_t column = 0; column < columns; column++) { \
            const SOURCE *const from = batch + rows[column] * elements; \
            for (ptrdiff_t element = 0; element < elements; element++) \
                matrix[element * columns + column] = (TYPE)from[element]; \
        } \
    }

#define FUNCTIONS(TYPE) \
    void rr_linear_apply_##TYPE( \
        const rr_linear_map *map, const TYPE *weights, const TYPE *bias, const TYPE *input, TYPE *output \
    ) { \
        TYPE##_version(map->version, map->columns >= 16)->apply(map, weights, bias, input, output); \
    } \
    void rr_linear_add_gradient_##TYPE(const rr_linear_map *map, const TYPE *left, const TYPE *right, TYPE *gradient) { \
        TYPE##_version(map->version, map->columns >= 16)->add_gradient(map, left, right, gradient); \
    } \
    WRITE_COLUMNS(float, TYPE) \
    WRITE_COLUMNS(uint8_t, TYPE)
FUNCTIONS(float)
FUNCTIONS(double)
