// Direct convolutions of feature maps whose samples lie innermost, (channels, height, width, samples).
//
// With the samples innermost every vector instruction works on as many samples at once, under any stride, padding
// and dilation: no input is unfolded and nothing but the weights is packed. Each function has a version for AVX-512,
// for AVX2 with FMA and for any processor; the best that the processor has is taken. The versions differ in their
// rounding.
#pragma once
#include <stddef.h>

// The versions of the functions, the later the faster.
typedef enum { RR_CONVOLUTION_GENERIC = 1, RR_CONVOLUTION_AVX2, RR_CONVOLUTION_AVX512 } rr_convolution_version;

// The best version that this processor runs, and its name: `generic`, `avx2` or `avx512`.
rr_convolution_version rr_convolution_best_version(void);
const char *rr_convolution_version_name(rr_convolution_version version);

// One convolution, or one channel group of it, over a group of samples.
typedef struct {
    ptrdiff_t channels, height, width;
    ptrdiff_t outputs, output_height, output_width;
    // A square kernel; the padding may be negative, which crops.
    ptrdiff_t kernel, stride, padding, dilation;
    // A multiple of 8; a multiple of 16, the lanes of the widest vector, is the faster.
    ptrdiff_t samples;
    // The version to run; the processor must have it.
    rr_convolution_version version;
} rr_convolution;

// The elements that `packed` must hold for weights, and `sums` for a weight gradient.
ptrdiff_t rr_convolution_packed_count(const rr_convolution *convolution);
ptrdiff_t rr_convolution_sums_count(const rr_convolution *convolution);

// Packs weights (outputs, channels, kernel, kernel) for `rr_convolve`.
void rr_convolution_pack_float(const rr_convolution *convolution, const float *weights, float *packed);
void rr_convolution_pack_double(const rr_convolution *convolution, const double *weights, double *packed);

// Packs weights (channels, outputs, kernel, kernel), transposed and turned by 180°: with them the convolution is the
// transpose of the one whose weights they are.
void rr_convolution_pack_transposed_float(const rr_convolution *convolution, const float *weights, float *packed);
void rr_convolution_pack_transposed_double(const rr_convolution *convolution, const double *weights, double *packed);

// Writes the output, (outputs, output height, output width, samples). `bias` may be NULL.
void rr_convolve_float(
    const rr_convolution *convolution, const float *input, const float *packed, const float *bias, float *output);
void rr_convolve_double(
    const rr_convolution *convolution, const double *input, const double *packed, const double *bias, double *output);

// Adds to the weight gradient (outputs, channels, kernel, kernel) the sum over positions and samples of a cotangent
// of the output times the input. `sums` is memory for it.
void rr_convolution_add_gradient_float(
    const rr_convolution *convolution, const float *input, const float *cotangent, float *sums, float *gradient);
void rr_convolution_add_gradient_double(
    const rr_convolution *convolution, const double *input, const double *cotangent, double *sums, double *gradient);
