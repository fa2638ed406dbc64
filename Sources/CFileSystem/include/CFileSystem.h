// Calls of Linux that Swift's module of glibc leaves out.

#ifndef CFILESYSTEM_H
#define CFILESYSTEM_H

// Renames unless something has the new name; 0, or -1 with errno EEXIST, or EINVAL where the file system cannot do it.
int rr_rename_to_free_name(const char *from, const char *to);

// Lets two names change places at one moment; 0, or -1 with errno.
int rr_exchange_names(const char *one, const char *other);

// Brings all that the file system of an open file has to write to the disk; 0, or -1 with errno.
int rr_sync_file_system(int file);

// Has the disk begin with what was written to a part of an open file, without waiting for it.
void rr_begin_sync(int file, long long offset, long long count);

#endif
