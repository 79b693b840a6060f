/*
 * A disk that can be told to fail, for LD_PRELOAD.
 *
 * It stands between a process and the files below PARLEY_DISK_FOLDER. In the folder PARLEY_DISK_CONTROL it keeps a journal of
 * how much of each file was synced, so that afterwards all that was not can be taken away, as a power cut would; and there
 * it looks whether a sync is to fail (a file `fail`) or not to return (a file `hang`).
 *
 * The journal has a line a call: `synced <inode> <bytes>`; `named <inode>` for each file of a folder that is synced, which keeps
 * their names and nothing of what they hold; `gone <inode>` for a file that is removed or replaced, whose inode another one
 * may get. Syncing a new file keeps its name too, and what is renamed or removed stays so, as on file systems that keep a
 * journal of names.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char *folder;
static const char *control;
static int journal = -1;

__attribute__((constructor)) static void start(void) {
  char path[PATH_MAX];
  folder = getenv("PARLEY_DISK_FOLDER");
  control = getenv("PARLEY_DISK_CONTROL");
  if (!folder || !control) return;
  snprintf(path, sizeof path, "%s/journal", control);
  journal = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
}

static int is_below(const char *path) {
  size_t length = strlen(folder);
  return strncmp(path, folder, length) == 0 && (path[length] == '/' || path[length] == '\0');
}

/* Finds the path of an open file; returns whether it is one of those that this is about. */
static int is_watched(int fd, char path[PATH_MAX]) {
  char link[64];
  if (journal < 0) return 0;
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  ssize_t length = readlink(link, path, PATH_MAX - 1);
  if (length < 0) return 0;
  path[length] = '\0';
  return is_below(path);
}

static void note_names(const char *path) {
  struct dirent *entry;
  DIR *list = opendir(path);
  if (!list) return;
  while ((entry = readdir(list)))
    if (entry->d_type == DT_REG) dprintf(journal, "named %llu\n", (unsigned long long)entry->d_ino);
  closedir(list);
}

static int is_told(const char *what) {
  char path[PATH_MAX];
  snprintf(path, sizeof path, "%s/%s", control, what);
  return access(path, F_OK) == 0;
}

static int sync_file(const char *name, int fd) {
  int (*real)(int) = (int (*)(int))dlsym(RTLD_NEXT, name);
  struct stat before;
  char path[PATH_MAX];
  if (!is_watched(fd, path)) return real(fd);
  while (is_told("hang")) usleep(10000);
  if (is_told("fail")) {
    errno = EIO;
    return -1;
  }
  /* What another thread writes or creates meanwhile may or may not be on the disk. */
  if (fstat(fd, &before) != 0) return -1;
  if (S_ISDIR(before.st_mode)) note_names(path);
  int result = real(fd);
  if (result == 0 && S_ISREG(before.st_mode))
    dprintf(journal, "synced %llu %lld\n", (unsigned long long)before.st_ino, (long long)before.st_size);
  return result;
}

int fsync(int fd) { return sync_file("fsync", fd); }

int fdatasync(int fd) { return sync_file("fdatasync", fd); }

static void note_gone(const char *path) {
  struct stat found;
  if (journal >= 0 && is_below(path) && lstat(path, &found) == 0 && found.st_nlink == 1)
    dprintf(journal, "gone %llu\n", (unsigned long long)found.st_ino);
}

int unlink(const char *path) {
  int (*real)(const char *) = (int (*)(const char *))dlsym(RTLD_NEXT, "unlink");
  note_gone(path);
  return real(path);
}

int rename(const char *from, const char *to) {
  int (*real)(const char *, const char *) = (int (*)(const char *, const char *))dlsym(RTLD_NEXT, "rename");
  note_gone(to);
  return real(from, to);
}
