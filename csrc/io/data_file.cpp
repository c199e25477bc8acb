// Opens files so that nothing in their content or their fate can hang or kill the process.
#include "io/data_file.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <ctime>
#include <utility>

namespace ait {
namespace {

/// Bytes that one window of a file read on demand holds: more than most headers of a dump.
constexpr size_t kWindowBytes = 64 * 1024;

/// Closes the descriptor unless it was released.
class OpenDescriptor {
 public:
  explicit OpenDescriptor(int fd) : fd_(fd) {}
  OpenDescriptor(const OpenDescriptor&) = delete;
  OpenDescriptor& operator=(const OpenDescriptor&) = delete;
  ~OpenDescriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  int get() const { return fd_; }
  int release() { return std::exchange(fd_, -1); }

 private:
  int fd_;
};

/// O_NONBLOCK: opening a pipe without a writer would wait for ever.
int open_descriptor(const std::string& path) {
  int fd = -1;
  do {
    fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
  } while (fd < 0 && errno == EINTR);
  if (fd < 0) throw FileError(errno, path);
  return fd;
}

const char* kind_of(const struct ::stat& status) {
  if (S_ISDIR(status.st_mode)) return "a directory";
  if (S_ISFIFO(status.st_mode)) return "a pipe";
  if (S_ISSOCK(status.st_mode)) return "a socket";
  return "a device";
}

bool is_young(const struct ::stat& status) {
  struct timespec now{};
  ::clock_gettime(CLOCK_REALTIME, &now);
  return status.st_mtim.tv_sec > now.tv_sec - kYoungFileSeconds;
}

}  // namespace

FileError::FileError(int error_number, std::string file_path)
    : std::system_error(error_number, std::generic_category(), file_path),
      path(std::move(file_path)) {}

Access parse_access(const std::string& name) {
  if (name == "auto") return Access::kAuto;
  if (name == "map") return Access::kMap;
  if (name == "read") return Access::kRead;
  throw std::invalid_argument("access is 'auto', 'map' or 'read', not '" + name + "'");
}

std::shared_ptr<const DataFile> DataFile::open(const std::string& path, Access access) {
  OpenDescriptor descriptor(open_descriptor(path));
  struct ::stat status{};
  if (::fstat(descriptor.get(), &status) != 0) throw FileError(errno, path);
  if (!S_ISREG(status.st_mode)) {
    throw FormatError(path + ": a regular file expected, found " + kind_of(status));
  }
  std::shared_ptr<DataFile> file(new DataFile());
  file->path_ = path;
  file->identity_ = identity_of(status);
  file->size_bytes_ = file->identity_.size_bytes;
  if (file->size_bytes_ <= kSmallFileBytes) {
    file->copy_.resize(static_cast<size_t>(file->size_bytes_));
    file->fd_ = descriptor.release();
    file->read_exactly(0, file->copy_.size(), file->copy_.data());
    ::close(std::exchange(file->fd_, -1));
    file->data_ = file->copy_.data();
    return file;
  }
  if (access == Access::kRead || (access == Access::kAuto && is_young(status))) {
    file->fd_ = descriptor.release();
    return file;
  }
  void* map = ::mmap(nullptr, static_cast<size_t>(file->size_bytes_), PROT_READ, MAP_PRIVATE,
                     descriptor.get(), 0);
  if (map == MAP_FAILED) throw FileError(errno, path);
  file->data_ = static_cast<const uint8_t*>(map);
  file->lost_pages_.emplace(file->data_, static_cast<size_t>(file->size_bytes_));
  return file;
}

std::shared_ptr<const DataFile> DataFile::of_memory(Bytes bytes) {
  std::shared_ptr<DataFile> file(new DataFile());
  file->data_ = bytes.data();
  file->size_bytes_ = bytes.size();
  return file;
}

DataFile::~DataFile() {
  if (lost_pages_) {
    lost_pages_.reset();
    ::munmap(const_cast<uint8_t*>(data_), static_cast<size_t>(size_bytes_));
  }
  if (fd_ >= 0) ::close(fd_);
}

void DataFile::read_exactly(uint64_t offset, size_t n, uint8_t* to) const {
  size_t done = 0;
  while (done < n) {
    const ssize_t got = ::pread(fd_, to + done, n - done, static_cast<off_t>(offset + done));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) throw FileError(errno, path_);
    if (got == 0) {
      throw FormatError(std::to_string(n - done) + " bytes expected at byte " +
                            std::to_string(offset + done) + ", the file now ends there " +
                            "(file changed while it was read)",
                        offset + done);
    }
    done += static_cast<size_t>(got);
  }
}

const uint8_t* DataFile::at(uint64_t offset, size_t n, std::vector<uint8_t>& scratch) const {
  if (offset > size_bytes_ || n > size_bytes_ - offset) {
    const uint64_t left = offset > size_bytes_ ? 0 : size_bytes_ - offset;
    throw FormatError(std::to_string(n) + " bytes expected, " + std::to_string(left) +
                          " left at byte " + std::to_string(offset) + " (file cut short?)",
                      offset);
  }
  if (in_memory()) return data_ + offset;
  scratch.resize(n);
  read_exactly(offset, n, scratch.data());
  return scratch.data();
}

void DataFile::check_unchanged() const {
  if (!lost_pages_ && fd_ < 0) return;  // the copy of a small file cannot change
  struct ::stat status{};
  if (fd_ >= 0 && ::fstat(fd_, &status) != 0) throw FileError(errno, path_);
  // A map outlives its name, and another file under the same name leaves it as it was.
  if (fd_ >= 0 || ::stat(path_.c_str(), &status) == 0) {
    const FileIdentity now = identity_of(status);
    if (now.is_same_file(identity_) && now != identity_) {
      throw FormatError(path_ + ": file changed while it was read: " +
                        std::to_string(identity_.size_bytes) + " bytes at open, " +
                        std::to_string(now.size_bytes) + " now (is the dump still being written?)");
    }
  }
  if (lost_pages_ && lost_pages_->was_lost()) {
    throw FormatError(path_ +
                      ": pages of the file could not be read any more (cut short while it was "
                      "read, or its disk or network file system failed)");
  }
}

Bytes FileWindow::at(uint64_t offset, size_t n) {
  const bool is_inside = offset >= begin_ && offset - begin_ <= view_.size() &&
                         n <= view_.size() - static_cast<size_t>(offset - begin_);
  if (!is_inside) {
    const uint64_t size = file_.size_bytes();
    const uint64_t left = offset > size ? 0 : size - offset;
    const size_t wanted =
        file_.in_memory()
            ? n
            : std::max(n, static_cast<size_t>(std::min<uint64_t>(left, kWindowBytes)));
    view_ = Bytes(file_.at(offset, wanted, scratch_), wanted);
    begin_ = offset;
  }
  return view_.subspan(static_cast<size_t>(offset - begin_), n);
}

}  // namespace ait
