/* Makes one file fail, as a disk or a network does: LD_PRELOAD, then fault_set() from the process.
 *
 * The file is found by its path where it is opened or asked for, and by its descriptor where it is
 * read. Only the first `skip` calls go through: headers are read, values are not. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { kNowhere, kOpen, kStat, kRead, kMostDescriptors = 4096 };

static char path[4096];
static int where, number, left;
static int hits;
static char is_of_file[kMostDescriptors];

void fault_set(const char* new_path, int new_where, int new_number, int skip) {
  strncpy(path, new_path, sizeof path - 1);
  where = new_where;
  number = new_number;
  left = skip;
  hits = 0;
}

int fault_hits(void) { return hits; }

static int is_it(const char* name) { return where != kNowhere && strcmp(name, path) == 0; }

static int is_open(int fd) { return fd >= 0 && fd < kMostDescriptors && is_of_file[fd]; }

/* Whether this call fails; errno then says how. */
static int fails(int here) {
  if (here != where) return 0;
  if (__atomic_fetch_sub(&left, 1, __ATOMIC_RELAXED) > 0) return 0;
  __atomic_fetch_add(&hits, 1, __ATOMIC_RELAXED);
  errno = number;
  return 1;
}

#define REAL(name) ((__typeof__(&name))real(#name))
static void* real(const char* name) { return dlsym(RTLD_NEXT, name); }

static int remember(int fd, const char* name) {
  if (fd >= 0 && fd < kMostDescriptors) is_of_file[fd] = (char)is_it(name);
  return fd;
}

#define OPEN(name)                                        \
  int name(const char* file, int flags, ...) {            \
    va_list more;                                         \
    va_start(more, flags);                                \
    const mode_t mode = va_arg(more, mode_t);             \
    va_end(more);                                         \
    if (is_it(file) && fails(kOpen)) return -1;           \
    return remember(REAL(name)(file, flags, mode), file); \
  }
OPEN(open)
OPEN(open64)

#define STAT(name, type)                        \
  int name(const char* file, struct type* to) { \
    if (is_it(file) && fails(kStat)) return -1; \
    return REAL(name)(file, to);                \
  }
STAT(stat, stat)
STAT(stat64, stat64)
STAT(lstat, stat)
STAT(lstat64, stat64)

#define FSTAT(name, type)                       \
  int name(int fd, struct type* to) {           \
    if (is_open(fd) && fails(kStat)) return -1; \
    return REAL(name)(fd, to);                  \
  }
FSTAT(fstat, stat)
FSTAT(fstat64, stat64)

#define FSTATAT(name, type)                                        \
  int name(int fd, const char* file, struct type* to, int flags) { \
    if (is_it(file) && fails(kStat)) return -1;                    \
    return REAL(name)(fd, file, to, flags);                        \
  }
FSTATAT(fstatat, stat)
FSTATAT(fstatat64, stat64)

ssize_t read(int fd, void* to, size_t n) {
  if (is_open(fd) && fails(kRead)) return -1;
  return REAL(read)(fd, to, n);
}

#define PREAD(name, type)                                 \
  ssize_t name(int fd, void* to, size_t n, type offset) { \
    if (is_open(fd) && fails(kRead)) return -1;           \
    return REAL(name)(fd, to, n, offset);                 \
  }
PREAD(pread, off_t)
PREAD(pread64, off64_t)
