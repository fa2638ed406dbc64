#pragma once

#include <signal.h>

// Whether the process waits for a file, however long the disk takes.
extern volatile sig_atomic_t rr_reader_waits;
