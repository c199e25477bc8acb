#include "io/file_group.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>

#include "parallel.h"

namespace ait {
namespace {

/// Syncs that wait at the same time: a disk empties its cache once for all of them.
constexpr size_t kSyncs = 8;

/// 0 if the file at the path is still this one; ENOENT if it is another one, or why nobody knows.
int why_changed(const std::string& path, const FileIdentity& identity) {
  struct ::stat status{};
  if (::stat(path.c_str(), &status) != 0) return errno;
  return identity_of(status) == identity ? 0 : ENOENT;
}

/// False if another process has the lock.
bool lock(int descriptor) {
  return ::flock(descriptor, LOCK_EX | LOCK_NB) == 0 || errno != EWOULDBLOCK;
}

Claim claim_file(const std::string& path) {
  Claim claim;
  // O_NONBLOCK: opening a pipe without a writer would wait for ever.
  const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
  if (descriptor < 0) {
    claim.error = errno;
    return claim;
  }
  struct ::stat status{};
  claim.is_busy = !lock(descriptor);
  if (::fstat(descriptor, &status) != 0) claim.error = errno;
  claim.identity = identity_of(status);
  claim.mode = status.st_mode & 0777u;
  // Removed between open and lock, by who had the lock?
  if (claim.error == 0) claim.error = why_changed(path, claim.identity);
  if (claim.error != 0 || claim.is_busy)
    ::close(descriptor);
  else
    claim.descriptor = descriptor;
  return claim;
}

int write_all(int descriptor, Bytes content) {
  while (!content.empty()) {
    const ssize_t n = ::write(descriptor, content.data(), content.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return errno;
    content = content.subspan(static_cast<size_t>(n));
  }
  return 0;
}

Created create_file(const NewFile& file) {
  Created created;
  created.descriptor =
      ::open(file.path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, file.mode);
  if (created.descriptor < 0) {
    created.error = errno;
    return created;
  }
  lock(created.descriptor);
  created.error = write_all(created.descriptor, file.content);
#ifdef POSIX_FADV_DONTNEED
  // Begins to write, and does not wait.
  ::posix_fadvise(created.descriptor, 0, 0, POSIX_FADV_DONTNEED);
#endif
  return created;
}

int sync_file(int descriptor) {
  while (::fsync(descriptor) != 0)
    if (errno != EINTR) return errno;
  return 0;
}

int remove_file(const KnownFile& file) {
  struct ::stat status{};
  int error = ::stat(file.path.c_str(), &status) == 0 ? 0 : errno;
  if (error == 0 && identity_of(status) != file.identity) return ESTALE;
  if (error == 0 && ::unlink(file.path.c_str()) != 0) error = errno;
  return error == ENOENT ? 0 : error;
}

template <class Result, class Item, class Do>
std::vector<Result> for_each(const std::vector<Item>& items, Do one) {
  std::vector<Result> results;
  results.reserve(items.size());
  for (const Item& item : items) results.push_back(one(item));
  return results;
}

}  // namespace

std::vector<Claim> claim_files(const std::vector<std::string>& paths) {
  return for_each<Claim>(paths, claim_file);
}

std::vector<Created> create_files(const std::vector<NewFile>& files) {
  return for_each<Created>(files, create_file);
}

std::vector<int> sync_files(const std::vector<int>& descriptors) {
  std::vector<int> errors(descriptors.size());
  parallel_for(descriptors.size(), kSyncs,
               [&](size_t i) { errors[i] = sync_file(descriptors[i]); });
  return errors;
}

std::vector<int> rename_files(const std::vector<NewName>& names) {
  return for_each<int>(names, [](const NewName& name) {
    return std::rename(name.from.c_str(), name.to.c_str()) == 0 ? 0 : errno;
  });
}

std::vector<bool> are_unchanged(const std::vector<KnownFile>& files) {
  return for_each<bool>(
      files, [](const KnownFile& file) { return why_changed(file.path, file.identity) == 0; });
}

std::vector<int> remove_unchanged(const std::vector<KnownFile>& files) {
  return for_each<int>(files, remove_file);
}

void close_files(const std::vector<int>& descriptors) {
  for (const int descriptor : descriptors) ::close(descriptor);
}

}  // namespace ait
