#include "pixels.h"
#include "pixel_layout.h"
#include "shares.h"
#include "tiles.h"
#include <string.h>

// The largest of the sizes for which there is code, and at most `largest`, that does not exceed what is left; images
// have three channels.
static ptrdiff_t pixel_block_size(ptrdiff_t left, ptrdiff_t largest) {
    if (left == 3) return 3;
    for (ptrdiff_t size = largest; size > 1; size /= 2)
        if (size <= left) return size;
    return 1;
}

#define TABLE(ELEMENT) \
    typedef struct { \
        void (*convolve)( \
            const rr_convolution *, const ELEMENT *, const ELEMENT *, const ELEMENT *, ELEMENT *, ELEMENT *); \
        void (*convolve_transposed)( \
            const rr_convolution *, const ELEMENT *, const ELEMENT *, ELEMENT *, ELEMENT *); \
        void (*add_gradient)(const rr_convolution *, const ELEMENT *, const ELEMENT *, ELEMENT *, ELEMENT *); \
    } ELEMENT##_kernels;
#define KERNELS_OF(ELEMENT) ELEMENT##_kernels
#define KERNELS(ELEMENT) KERNELS_OF(ELEMENT)
TABLE(float)
TABLE(double)

// As many sums as the registers hold, beside the values that they are made of.
#if defined(__x86_64__)
#pragma clang attribute push(__attribute__((target("avx512f,avx512vl,avx512dq,avx512bw,fma"))), apply_to = function)
#define BYTES 64
#define PIXEL_BLOCK 8
#define PIXEL_VECTORS 3
#define SINGLE_VECTORS 8
#define EACH_SMALLER_PIXEL_BLOCK(CASE) CASE(4) CASE(3) CASE(2)
#define ELEMENT float
#define LANE_COUNT 16
#define NAME(x) avx512_float_##x
#include "pixels.inc"
#include "tiles.inc"
#undef ELEMENT
#undef LANE_COUNT
#undef NAME
#define ELEMENT double
#define LANE_COUNT 8
#define NAME(x) avx512_double_##x
#include "pixels.inc"
#undef ELEMENT
#undef LANE_COUNT
#undef NAME
#undef BYTES
#undef PIXEL_BLOCK
#undef PIXEL_VECTORS
#undef SINGLE_VECTORS
#undef EACH_SMALLER_PIXEL_BLOCK
#pragma clang attribute pop

#pragma clang attribute push(__attribute__((target("avx2,fma"))), apply_to = function)
#define BYTES 32
#define PIXEL_BLOCK 4
#define PIXEL_VECTORS 3
#define SINGLE_VECTORS 8
#define EACH_SMALLER_PIXEL_BLOCK(CASE) CASE(3) CASE(2)
#define ELEMENT float
#define LANE_COUNT 8
#define NAME(x) avx2_float_##x
#include "pixels.inc"
#include "tiles.inc"
#undef ELEMENT
#undef LANE_COUNT
#undef NAME
#define ELEMENT double
#define LANE_COUNT 4
#define NAME(x) avx2_double_##x
#include "pixels.inc"
#undef ELEMENT
#undef LANE_COUNT
#undef NAME
#undef BYTES
#undef PIXEL_BLOCK
#undef PIXEL_VECTORS
#undef SINGLE_VECTORS
#undef EACH_SMALLER_PIXEL_BLOCK
#pragma clang attribute pop
#endif

#define BYTES 16
#define PIXEL_BLOCK 4
#define PIXEL_VECTORS 3
#define SINGLE_VECTORS 8
#define EACH_SMALLER_PIXEL_BLOCK(CASE) CASE(3) CASE(2)
#define ELEMENT float
#define LANE_COUNT 4
#define NAME(x) generic_float_##x
#include "pixels.inc"
#include "tiles.inc"
#undef ELEMENT
#undef LANE_COUNT
#undef NAME
#define ELEMENT double
#define LANE_COUNT 2
#define NAME(x) generic_double_##x
#include "pixels.inc"
#undef ELEMENT
#undef LANE_COUNT
#undef NAME
#undef BYTES
#undef PIXEL_BLOCK
#undef PIXEL_VECTORS
#undef SINGLE_VECTORS
#undef EACH_SMALLER_PIXEL_BLOCK

static const float_kernels *float_version(const rr_convolution *c) {
#if defined(__x86_64__)
    if (c->version == RR_CONVOLUTION_AVX512) return &avx512_float_pixel_kernels;
    if (c->version == RR_CONVOLUTION_AVX2) return &avx2_float_pixel_kernels;
#endif
    return &generic_float_pixel_kernels;
}

static const double_kernels *double_version(const rr_convolution *c) {
#if defined(__x86_64__)
    if (c->version == RR_CONVOLUTION_AVX512) return &avx512_double_pixel_kernels;
    if (c->version == RR_CONVOLUTION_AVX2) return &avx2_double_pixel_kernels;
#endif
    return &generic_double_pixel_kernels;
}

// The version of the convolution by tiles, which single precision alone has.
static void convolve_by_tiles(
    const rr_convolution *c, const float *input, const float *weights, const float *bias, float *memory, float *output
) {
#if defined(__x86_64__)
    if (c->version == RR_CONVOLUTION_AVX512) {
        avx512_float_tile_convolve(c, input, weights, bias, memory, output);
        return;
    }
    if (c->version == RR_CONVOLUTION_AVX2) {
        avx2_float_tile_convolve(c, input, weights, bias, memory, output);
        return;
    }
#endif
    generic_float_tile_convolve(c, input, weights, bias, memory, output);
}

ptrdiff_t rr_pixels_memory_count(const rr_convolution *c) {
    rr_convolution transpose = *c;
    transpose.is_transpose = !c->is_transpose;
    const ptrdiff_t most = pixel_memory_count(c);
    return uses_tiles(c) ? at_least(most, at_least(tile_memory_count(c), tile_memory_count(&transpose))) : most;
}

void rr_pixels_convolve_float(
    const rr_convolution *c, const float *input, const float *weights, const float *bias, float *memory, float *output
) {
    if (uses_tiles(c))
        convolve_by_tiles(c, input, weights, bias, memory, output);
    else if (c->is_transpose)
        float_version(c)->convolve_transposed(c, input, weights, memory, output);
    else
        float_version(c)->convolve(c, input, weights, bias, memory, output);
}

void rr_pixels_add_gradient_float(
    const rr_convolution *c, const float *input, const float *cotangent, float *memory, float *gradient
) {
    float_version(c)->add_gradient(c, input, cotangent, memory, gradient);
}

void rr_pixels_convolve_double(
    const rr_convolution *c, const double *input, const double *weights, const double *bias, double *memory, double *output
) {
    if (c->is_transpose)
        double_version(c)->convolve_transposed(c, input, weights, memory, output);
    else
        double_version(c)->convolve(c, input, weights, bias, memory, output);
}

void rr_pixels_add_gradient_double(
    const rr_convolution *c, const double *input, const double *cotangent, double *memory, double *gradient
) {
    double_version(c)->add_gradient(c, input, cotangent, memory, gradient);
}
