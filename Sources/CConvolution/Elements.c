#include "CConvolution.h"
#include <stdint.h>
#include <string.h>

// φ, φ' and φ'' at one place.
typedef struct {
    double value, slope, curvature;
} curve;

// exp(x) to about its last digit, for −708 ≤ x ≤ 708 and nearest to those beyond; without a branch, so that a loop of it is
// one of vectors.
static inline __attribute__((always_inline)) double exponential(double x) {
    x = x > 708 ? 708 : x < -708 ? -708 : x;
    // Added to this, a number is rounded to a whole one, which the lowest bits then hold.
    const double rounding = 6755399441055744.0;
    const double shifted = x * 1.4426950408889634 + rounding;
    const double whole = shifted - rounding;
    // ln 2 in two parts, of which the first has so many zeros that its product is exact.
    const double rest = (x - whole * 0x1.62e42fefa0000p-1) - whole * 0x1.cf79abc9e3b3ap-40;
    // Taylor's series, where |rest| ≤ ln 2 / 2.
    double sum = 1.0 / 6227020800.0;
    sum = sum * rest + 1.0 / 479001600.0;
    sum = sum * rest + 1.0 / 39916800.0;
    sum = sum * rest + 1.0 / 3628800.0;
    sum = sum * rest + 1.0 / 362880.0;
    sum = sum * rest + 1.0 / 40320.0;
    sum = sum * rest + 1.0 / 5040.0;
    sum = sum * rest + 1.0 / 720.0;
    sum = sum * rest + 1.0 / 120.0;
    sum = sum * rest + 1.0 / 24.0;
    sum = sum * rest + 1.0 / 6.0;
    sum = sum * rest + 0.5;
    sum = sum * rest + 1;
    sum = sum * rest + 1;
    uint64_t bits;
    memcpy(&bits, &shifted, sizeof bits);
    const uint64_t power_bits = (bits << 52) + ((uint64_t)1023 << 52);
    double power;
    memcpy(&power, &power_bits, sizeof power);
    return sum * power;
}

static inline __attribute__((always_inline)) curve sigmoid_linear(double x) {
    const double inverse = exponential(-x);
    const double sigmoid = 1 / (1 + inverse);
    // 1 − σ(x), to its last digit.
    const double complement = inverse * sigmoid;
    const double slope = sigmoid * complement;
    return (curve){x * sigmoid, sigmoid + x * slope, slope * (2 + x * (complement - sigmoid))};
}

static inline __attribute__((always_inline)) curve hard_sigmoid_linear(double x) {
    const double shifted = x + 3 <= 0 ? 0 : x + 3;
    const double slope = x < 3 ? x / 3 + 0.5 : 1;
    return (curve){
        x * (shifted >= 6 ? 6 : shifted) / 6, x > -3 ? slope : 0, x > -3 && x < 3 ? 1.0 / 3 : 0};
}

#define EACH_CURVED_ACTIVATION(LOOP) \
    case RR_ACTIVATION_SIGMOID_LINEAR: LOOP(sigmoid_linear) break; \
    case RR_ACTIVATION_HARD_SIGMOID_LINEAR: LOOP(hard_sigmoid_linear) break;

#if defined(__x86_64__)
#pragma clang attribute push( \
    __attribute__((target("avx512f,avx512vl,avx512dq,avx512bw,fma"), min_vector_width(512))), apply_to = function)
#define BYTES 64
#define ELEMENT float
#define NAME(x) avx512_float_##x
#include "elements.inc"
#undef ELEMENT
#undef NAME
#define ELEMENT double
#define NAME(x) avx512_double_##x
#include "elements.inc"
#undef ELEMENT
#undef NAME
#undef BYTES
#pragma clang attribute pop

#pragma clang attribute push(__attribute__((target("avx2,fma"))), apply_to = function)
#define BYTES 32
#define ELEMENT float
#define NAME(x) avx2_float_##x
#include "elements.inc"
#undef ELEMENT
#undef NAME
#define ELEMENT double
#define NAME(x) avx2_double_##x
#include "elements.inc"
#undef ELEMENT
#undef NAME
#undef BYTES
#pragma clang attribute pop
#endif

#define BYTES 16
#define ELEMENT float
#define NAME(x) generic_float_##x
#include "elements.inc"
#undef ELEMENT
#undef NAME
#define ELEMENT double
#define NAME(x) generic_double_##x
#include "elements.inc"
#undef ELEMENT
#undef NAME

#if defined(__x86_64__)
#define RUN_BEST(TYPE, FUNCTION, ...) \
    switch (rr_convolution_best_version()) { \
    case RR_CONVOLUTION_AVX512: avx512_##TYPE##_##FUNCTION(__VA_ARGS__); break; \
    case RR_CONVOLUTION_AVX2: avx2_##TYPE##_##FUNCTION(__VA_ARGS__); break; \
    default: generic_##TYPE##_##FUNCTION(__VA_ARGS__); \
    }
#else
#define RUN_BEST(TYPE, FUNCTION, ...) generic_##TYPE##_##FUNCTION(__VA_ARGS__);
#endif

#define FUNCTIONS(TYPE) \
    void rr_activation_apply_##TYPE(rr_activation activation, const TYPE *inputs, TYPE *result, ptrdiff_t count) { \
        RUN_BEST(TYPE, apply, activation, inputs, result, count) \
    } \
    void rr_activation_scale_##TYPE( \
        rr_activation activation, const TYPE *inputs, const TYPE *values, TYPE *result, ptrdiff_t count \
    ) { \
        RUN_BEST(TYPE, scale, activation, inputs, values, result, count) \
    } \
    void rr_activation_bend_##TYPE( \
        rr_activation activation, const TYPE *inputs, const TYPE *adjoints, const TYPE *tangents, \
        const TYPE *cotangents, TYPE *result, ptrdiff_t count \
    ) { \
        RUN_BEST(TYPE, bend, activation, inputs, adjoints, tangents, cotangents, result, count) \
    } \
    void rr_rectify_##TYPE(const TYPE *values, const TYPE *gates, TYPE *result, ptrdiff_t count) { \
        RUN_BEST(TYPE, rectify, values, gates, result, count) \
    } \
    void rr_add_##TYPE(const TYPE *first, const TYPE *second, TYPE *result, ptrdiff_t count) { \
        RUN_BEST(TYPE, add, first, second, result, count) \
    } \
    void rr_multiply_spans_##TYPE( \
        const TYPE *values, const TYPE *factors, TYPE *result, ptrdiff_t factor_count, ptrdiff_t span, ptrdiff_t samples, \
        bool adds \
    ) { \
        RUN_BEST(TYPE, multiply_spans, values, factors, result, factor_count, span, samples, adds) \
    } \
    void rr_sum_spans_##TYPE( \
        const TYPE *first, const TYPE *second, TYPE *sums, ptrdiff_t factor_count, ptrdiff_t span, ptrdiff_t samples, \
        bool adds \
    ) { \
        RUN_BEST(TYPE, sum_spans, first, second, sums, factor_count, span, samples, adds) \
    } \
    void rr_mask_##TYPE( \
        const TYPE *values, const TYPE *masks, TYPE scale, TYPE *result, double *sums, ptrdiff_t rows, ptrdiff_t columns \
    ) { \
        RUN_BEST(TYPE, mask, values, masks, scale, result, sums, rows, columns) \
    }
FUNCTIONS(float)
FUNCTIONS(double)
