#pragma once
#include <cblas.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

// Swift cannot ask for functions that a build of OpenBLAS for one processor does not have.
extern void gotoblas_dynamic_init(void) __attribute__((weak));
extern void gotoblas_dynamic_quit(void) __attribute__((weak));

// Takes kernels that fit the processor, before any product. On a processor that came out after it, OpenBLAS falls back to
// kernels of 2004, which are a quarter as fast: 0.3.21 of Debian 12 knows no Intel Xeon of 2023. Whoever has set
// OPENBLAS_CORETYPE has chosen. `better` are those for the vectors that the processor has; NULL for none.
static inline void rr_choose_openblas_kernels(const char *better) {
#if defined(__x86_64__)
    static const char *const known[] = {"Haswell", "Zen", "SkylakeX", "Cooperlake", "Sapphirerapids"};
    if (!gotoblas_dynamic_init || !gotoblas_dynamic_quit || getenv("OPENBLAS_CORETYPE")) return;
    const char *name = openblas_get_corename();
    for (size_t index = 0; index < sizeof known / sizeof *known; index++)
        if (name && strcasecmp(name, known[index]) == 0) return;
    if (!better || setenv("OPENBLAS_CORETYPE", better, 1) != 0) return;
    gotoblas_dynamic_quit();
    gotoblas_dynamic_init();
    unsetenv("OPENBLAS_CORETYPE");
#endif
}
