// Calls of Linux that glibc declares with _GNU_SOURCE alone, which Swift's module of it is built without.

#pragma once
#include <linux/fs.h>
#include <sys/types.h>

int renameat2(
    int old_folder, const char *old_path, int new_folder, const char *new_path, unsigned int flags);
int sync_file_range(int file, __off64_t offset, __off64_t count, unsigned int flags);
int syncfs(int file);

typedef struct {
    const char *dli_fname;
    void *dli_fbase;
    const char *dli_sname;
    void *dli_saddr;
} rr_code_place;

int rr_find_code(const void *address, rr_code_place *place) __asm__("dladdr");
