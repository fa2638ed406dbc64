#pragma once

// Which version runs is decided when the program starts. That is before the thread sanitizer is ready, which has one version
// alone.
#if defined(__x86_64__) && !__has_feature(thread_sanitizer)
#define FOR_EACH_PROCESSOR __attribute__((target_clones("avx2", "default")))
#else
#define FOR_EACH_PROCESSOR
#endif
