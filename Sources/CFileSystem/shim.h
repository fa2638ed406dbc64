// Calls of Linux that glibc declares with _GNU_SOURCE alone, which Swift's module of it is built without.

#pragma once
#include <linux/fs.h>
#include <sys/types.h>

int renameat2(
    int old_folder, const char *old_path, int new_folder, const char *new_path, unsigned int flags);
int sync_file_range(int file, __off64_t offset, __off64_t count, unsigned int flags);
int syncfs(int file);
