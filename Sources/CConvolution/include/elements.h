// What is done element by element with feature maps, a vector at a time.
//
// A result may be one of the maps that it is made of. As the convolutions', the versions for one processor and another may
// differ in the last digit. Activations are computed in double whatever the element, but for those that are exact.
#pragma once
#include <stdbool.h>
#include <stddef.h>

typedef enum {
    // x σ(x), with σ the logistic function.
    RR_ACTIVATION_SIGMOID_LINEAR,
    // min(max(x, 0), 6); its derivative at 0 and at 6 is 0.
    RR_ACTIVATION_CLIPPED_RECTIFIER,
    // x min(max(x + 3, 0), 6) / 6.
    RR_ACTIVATION_HARD_SIGMOID_LINEAR,
} rr_activation;

// Writes φ(x).
void rr_activation_apply_float(rr_activation activation, const float *inputs, float *result, ptrdiff_t count);
void rr_activation_apply_double(rr_activation activation, const double *inputs, double *result, ptrdiff_t count);

// Writes φ'(x) times values.
void rr_activation_scale_float(
    rr_activation activation, const float *inputs, const float *values, float *result, ptrdiff_t count);
void rr_activation_scale_double(
    rr_activation activation, const double *inputs, const double *values, double *result, ptrdiff_t count);

// Writes φ'(x) ε + φ''(x) ẋ δ.
void rr_activation_bend_float(
    rr_activation activation, const float *inputs, const float *adjoints, const float *tangents, const float *cotangents,
    float *result, ptrdiff_t count);
void rr_activation_bend_double(
    rr_activation activation, const double *inputs, const double *adjoints, const double *tangents,
    const double *cotangents, double *result, ptrdiff_t count);

// Writes the values whose gate is not at or below 0, and 0 for the others.
void rr_rectify_float(const float *values, const float *gates, float *result, ptrdiff_t count);
void rr_rectify_double(const double *values, const double *gates, double *result, ptrdiff_t count);

// Writes the sums of two maps.
void rr_add_float(const float *first, const float *second, float *result, ptrdiff_t count);
void rr_add_double(const double *first, const double *second, double *result, ptrdiff_t count);

// Writes, or adds, values (factors, span, samples) times factors (factors, samples).
void rr_multiply_spans_float(
    const float *values, const float *factors, float *result, ptrdiff_t factor_count, ptrdiff_t span, ptrdiff_t samples,
    bool adds);
void rr_multiply_spans_double(
    const double *values, const double *factors, double *result, ptrdiff_t factor_count, ptrdiff_t span, ptrdiff_t samples,
    bool adds);

// Writes, or adds, the sums over the span of the products of two maps (factors, span, samples).
void rr_sum_spans_float(
    const float *first, const float *second, float *sums, ptrdiff_t factor_count, ptrdiff_t span, ptrdiff_t samples,
    bool adds);
void rr_sum_spans_double(
    const double *first, const double *second, double *sums, ptrdiff_t factor_count, ptrdiff_t span, ptrdiff_t samples,
    bool adds);

// Writes scale times the values, (rows, columns), whose mask is not 0, and 0 for the others, and adds the squares of these
// values to each column's sum.
void rr_mask_float(
    const float *values, const float *masks, float scale, float *result, double *sums, ptrdiff_t rows, ptrdiff_t columns);
void rr_mask_double(
    const double *values, const double *masks, double scale, double *result, double *sums, ptrdiff_t rows,
    ptrdiff_t columns);
