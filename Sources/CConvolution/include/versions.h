// The versions that kernels have for one processor and another, the later the faster.
#pragma once

typedef enum { RR_CONVOLUTION_GENERIC = 1, RR_CONVOLUTION_AVX2, RR_CONVOLUTION_AVX512 } rr_convolution_version;

// The best version that this processor runs, and its name: `generic`, `avx2` or `avx512`.
rr_convolution_version rr_convolution_best_version(void);
const char *rr_convolution_version_name(rr_convolution_version version);
