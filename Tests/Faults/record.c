// Records what a program changes on the disk, in order, for a replay of what a power cut leaves. Loaded with LD_PRELOAD.
//
//     RECORD=FILE   the record: lines of an operation, the number of a file and two numbers, then as many bytes as the last
//
// The bytes are those written, or a path without symbolic links but the last; of a rename both, with a zero byte between.
// Recording begins with `main`. A process that the program starts records nothing.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

static int record = -1;
// Held while a call runs, so that the record has the order of the calls.
static pthread_mutex_t order = PTHREAD_MUTEX_INITIALIZER;

#define REAL(name)                                                      \
    ({                                                                  \
        static __typeof__(&name) found;                                 \
        if (!found) found = (__typeof__(&name))dlsym(RTLD_NEXT, #name); \
        found;                                                          \
    })

static void put(const void *bytes, size_t size) {
    while (size) {
        ssize_t count = REAL(write)(record, bytes, size);
        if (count < 0) _exit(99);
        bytes = (const char *)bytes + count, size -= count;
    }
}

static void note(const char *operation, ino_t file, long long at, const void *bytes, size_t size) {
    int saved = errno;
    char line[128];
    put(line, snprintf(line, sizeof line, "%s %llu %lld %zu\n", operation, (unsigned long long)file, at, size));
    put(bytes, size);
    errno = saved;
}

// The path without symbolic links in its folders, into `absolute`.
static void resolve(int folder, const char *path, char *absolute) {
    char around[PATH_MAX], link[64];
    if (path[0] == '/' || folder == AT_FDCWD) {
        snprintf(around, sizeof around, "%s", path);
    } else {
        snprintf(link, sizeof link, "/proc/self/fd/%d", folder);
        ssize_t length = readlink(link, absolute, PATH_MAX - 1);
        snprintf(around, sizeof around, "%.*s/%s", (int)(length < 0 ? 0 : length), absolute, path);
    }
    size_t end = strlen(around);
    while (end > 1 && around[end - 1] == '/') around[--end] = 0;
    char *slash = strrchr(around, '/'), name[NAME_MAX + 1];
    snprintf(name, sizeof name, "%s", slash ? slash + 1 : around);
    if (slash) slash[slash == around] = 0;
    char *found = realpath(slash ? around : ".", NULL);
    snprintf(absolute, PATH_MAX, "%s/%s", found ? found : "", name);
    free(found);
}

static void note_path(const char *operation, ino_t file, int folder, const char *path) {
    int saved = errno;
    char absolute[PATH_MAX];
    resolve(folder, path, absolute);
    errno = saved;
    note(operation, file, 0, absolute, strlen(absolute));
}

static ino_t number_at(int folder, const char *path, int flags) {
    struct stat status;
    return fstatat(folder, path, &status, flags) ? 0 : status.st_ino;
}
// 0 for what is no file.
static ino_t number(int file) {
    struct stat status;
    return fstat(file, &status) || !(S_ISREG(status.st_mode) || S_ISDIR(status.st_mode)) ? 0 : status.st_ino;
}

typedef int program(int, char **, char **);
static program *real_main;
static int recorded_main(int count, char **arguments, char **environment) {
    const char *path = getenv("RECORD");
    if (path) record = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0666);
    unsetenv("RECORD");
    return real_main(count, arguments, environment);
}
int __libc_start_main(program *main, int count, char **arguments, void (*start)(void), void (*end)(void), void (*last)(void),
                      void *stack) {
    int (*real)(program *, int, char **, void (*)(void), void (*)(void), void (*)(void), void *) =
        dlsym(RTLD_NEXT, "__libc_start_main");
    real_main = main;
    return real(recorded_main, count, arguments, start, end, last, stack);
}

// Calls the function, and afterwards notes what it did where it succeeded.
#define RECORDED(type, name, parameters, arguments, before, after)  \
    type name parameters {                                          \
        if (record < 0) return REAL(name) arguments;                \
        pthread_mutex_lock(&order);                                 \
        before;                                                     \
        type result = REAL(name) arguments;                         \
        if (result >= 0) after;                                     \
        pthread_mutex_unlock(&order);                               \
        return result;                                              \
    }

#define WRITTEN(at)                                                                    \
    if (number(file)) note("write", number(file), at, bytes, result)
RECORDED(ssize_t, write, (int file, const void *bytes, size_t size), (file, bytes, size), , {
    WRITTEN(lseek(file, 0, SEEK_CUR) - result);
})
RECORDED(ssize_t, pwrite, (int file, const void *bytes, size_t size, off_t at), (file, bytes, size, at), , { WRITTEN(at); })
RECORDED(ssize_t, pwrite64, (int file, const void *bytes, size_t size, off64_t at), (file, bytes, size, at), , { WRITTEN(at); })
ssize_t writev(int file, const struct iovec *parts, int count) { return write(file, parts->iov_base, count ? parts->iov_len : 0); }
ssize_t pwritev(int file, const struct iovec *parts, int count, off_t at) {
    return pwrite(file, parts->iov_base, count ? parts->iov_len : 0, at);
}

#define SIZED note("truncate", number(file), size, NULL, 0)
RECORDED(int, ftruncate, (int file, off_t size), (file, size), , SIZED)
RECORDED(int, ftruncate64, (int file, off64_t size), (file, size), , SIZED)
RECORDED(int, truncate, (const char *path, off_t size), (path, size), ,
         note("truncate", number_at(AT_FDCWD, path, 0), size, NULL, 0))
RECORDED(int, truncate64, (const char *path, off64_t size), (path, size), ,
         note("truncate", number_at(AT_FDCWD, path, 0), size, NULL, 0))

#define SYNCED note("sync", number(file), 0, NULL, 0)
RECORDED(int, fsync, (int file), (file), , SYNCED)
RECORDED(int, fdatasync, (int file), (file), , SYNCED)
RECORDED(int, syncfs, (int file), (file), , note("sync-all", 0, 0, NULL, 0))

#define TWO_PATHS(operation, a, from, b, to)                           \
    char paths[2 * PATH_MAX];                                          \
    resolve(a, from, paths);                                           \
    resolve(b, to, paths + strlen(paths) + 1);                         \
    size_t length = strlen(paths) + 1;                                 \
    length += strlen(paths + length);                                  \
    const char *what = operation
RECORDED(int, rename, (const char *from, const char *to), (from, to), TWO_PATHS("rename", AT_FDCWD, from, AT_FDCWD, to),
         note(what, 0, 0, paths, length))
RECORDED(int, renameat, (int a, const char *from, int b, const char *to), (a, from, b, to), TWO_PATHS("rename", a, from, b, to),
         note(what, 0, 0, paths, length))
RECORDED(int, renameat2, (int a, const char *from, int b, const char *to, unsigned flags), (a, from, b, to, flags),
         TWO_PATHS(flags & RENAME_EXCHANGE ? "exchange" : "rename", a, from, b, to), note(what, 0, 0, paths, length))
RECORDED(int, link, (const char *from, const char *to), (from, to), ,
         note_path("link", number_at(AT_FDCWD, from, AT_SYMLINK_NOFOLLOW), AT_FDCWD, to))
RECORDED(int, linkat, (int a, const char *from, int b, const char *to, int flags), (a, from, b, to, flags), ,
         note_path("link", number_at(a, from, flags & AT_EMPTY_PATH ? AT_EMPTY_PATH : flags & AT_SYMLINK_FOLLOW ? 0 : AT_SYMLINK_NOFOLLOW),
                   b, to))
RECORDED(int, mkdir, (const char *path, mode_t mode), (path, mode), ,
         note_path("mkdir", number_at(AT_FDCWD, path, 0), AT_FDCWD, path))
RECORDED(int, mkdirat, (int folder, const char *path, mode_t mode), (folder, path, mode), ,
         note_path("mkdir", number_at(folder, path, 0), folder, path))
RECORDED(int, unlink, (const char *path), (path), , note_path("unlink", 0, AT_FDCWD, path))
RECORDED(int, unlinkat, (int folder, const char *path, int flags), (folder, path, flags), , note_path("unlink", 0, folder, path))
RECORDED(int, rmdir, (const char *path), (path), , note_path("unlink", 0, AT_FDCWD, path))
RECORDED(int, remove, (const char *path), (path), , note_path("unlink", 0, AT_FDCWD, path))

static int makes_file(int flags) { return flags & O_CREAT || (flags & O_TMPFILE) == O_TMPFILE; }
static void opened(int file, int existed, int folder, const char *path, int flags) {
    if ((flags & O_TMPFILE) == O_TMPFILE) {
        note("create", number(file), 0, NULL, 0);
    } else if (!existed && flags & O_CREAT) {
        note_path("create", number(file), folder, path);
    } else if (flags & O_TRUNC && number(file)) {
        note("truncate", number(file), 0, NULL, 0);
    }
}
#define OPENS(name, folder, parameters, arguments)                                                             \
    int name parameters {                                                                                      \
        mode_t mode = 0;                                                                                       \
        if (makes_file(flags)) {                                                                               \
            va_list rest;                                                                                      \
            va_start(rest, flags);                                                                             \
            mode = va_arg(rest, mode_t);                                                                       \
            va_end(rest);                                                                                      \
        }                                                                                                      \
        if (record < 0) return REAL(name) arguments;                                                           \
        pthread_mutex_lock(&order);                                                                            \
        int existed = number_at(folder, path, 0) != 0;                                                         \
        int result = REAL(name) arguments;                                                                     \
        if (result >= 0) opened(result, existed, folder, path, flags);                                         \
        pthread_mutex_unlock(&order);                                                                          \
        return result;                                                                                         \
    }
OPENS(open, AT_FDCWD, (const char *path, int flags, ...), (path, flags, mode))
OPENS(open64, AT_FDCWD, (const char *path, int flags, ...), (path, flags, mode))
OPENS(openat, folder, (int folder, const char *path, int flags, ...), (folder, path, flags, mode))
OPENS(openat64, folder, (int folder, const char *path, int flags, ...), (folder, path, flags, mode))
int creat(const char *path, mode_t mode) { return open(path, O_WRONLY | O_CREAT | O_TRUNC, mode); }
int creat64(const char *path, mode_t mode) { return open(path, O_WRONLY | O_CREAT | O_TRUNC, mode); }
