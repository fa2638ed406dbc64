// What the programs in C that test the interface have in common.
#pragma once

#include "rrdata.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// Ends the program with the line where something does not hold, and what the library said last.
#define CHECK(condition)                                                                                   \
    do {                                                                                                   \
        if (!(condition)) {                                                                                \
            fprintf(                                                                                       \
                stderr, "%s:%d: %s does not hold; the last error was: %s\n", __FILE__, __LINE__,           \
                #condition, error != NULL ? rr_error_message(error) : "none");                             \
            exit(1);                                                                                       \
        }                                                                                                  \
    } while (0)

// Checks that a call fails with a status, a code and words in its message, and frees the error.
#define CHECK_FAILS(call, status, code, words)                                                             \
    do {                                                                                                   \
        CHECK((call) == (status));                                                                         \
        CHECK(error != NULL && rr_error_status(error) == (status));                                        \
        CHECK(strcmp(rr_error_code(error), (code)) == 0);                                                  \
        CHECK(strstr(rr_error_message(error), (words)) != NULL);                                           \
        rr_error_free(error);                                                                              \
        error = NULL;                                                                                      \
    } while (0)
