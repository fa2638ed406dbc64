// Calls of Linux about threads that glibc declares with _GNU_SOURCE alone, which Swift's module of it is built without. A set of
// processors has a bit for each.

#pragma once
#include <pthread.h>
#include <stddef.h>

int rr_get_processors(pthread_t thread, size_t size, unsigned long *processors) __asm__("pthread_getaffinity_np");
int rr_set_processors(pthread_t thread, size_t size, const unsigned long *processors) __asm__("pthread_setaffinity_np");
int rr_current_processor(void) __asm__("sched_getcpu");
