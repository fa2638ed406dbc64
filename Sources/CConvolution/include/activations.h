// Functions of each element of a feature map, computed in double whatever the element, a vector at a time.
//
// As the convolutions', the versions for one processor and another may differ in the last digit.
#pragma once
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
