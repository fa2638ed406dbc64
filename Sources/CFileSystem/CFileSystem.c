#define _GNU_SOURCE

#include "CFileSystem.h"

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

int rr_rename_to_free_name(const char *from, const char *to) {
    return renameat2(AT_FDCWD, from, AT_FDCWD, to, RENAME_NOREPLACE);
}

int rr_exchange_names(const char *one, const char *other) {
    return renameat2(AT_FDCWD, one, AT_FDCWD, other, RENAME_EXCHANGE);
}

int rr_sync_file_system(int file) { return syncfs(file); }

void rr_begin_sync(int file, long long offset, long long count) {
    sync_file_range(file, offset, count, SYNC_FILE_RANGE_WRITE);
}
