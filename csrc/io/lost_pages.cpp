#include "io/lost_pages.h"

#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <mutex>

namespace ait {
namespace {

std::atomic<LostPages::Watch*> first_watch{nullptr};
struct sigaction previous_action;
uintptr_t page_bytes = 0;

/// The signal is somebody else's.
void pass_on(int signal, siginfo_t* info, void* context) {
  if ((previous_action.sa_flags & SA_SIGINFO) != 0) {
    previous_action.sa_sigaction(signal, info, context);
  } else if (previous_action.sa_handler != SIG_DFL && previous_action.sa_handler != SIG_IGN) {
    previous_action.sa_handler(signal);
  } else {
    ::signal(signal, SIG_DFL);
    // A faulting instruction is run again and meets the default action; one that was sent is not.
    if (info->si_code <= 0) ::raise(signal);
  }
}

/// Does what a signal handler may: reads and writes lock-free atomics, and calls mmap, which is one
/// system call.
void replace_lost_pages(int signal, siginfo_t* info, void* context) {
  if (info->si_code <= 0) {  // sent by a process: there is no address
    pass_on(signal, info, context);
    return;
  }
  const int saved_errno = errno;
  const auto at = reinterpret_cast<uintptr_t>(info->si_addr);
  for (LostPages::Watch* watch = first_watch.load(); watch != nullptr; watch = watch->next) {
    const uintptr_t end = watch->end.load();
    // The end once more: this watch may be passing from one map to another.
    if (at < watch->begin.load() || at >= end || watch->end.load() != end) continue;
    // To the end in one go: a page at a time would be a signal each.
    const uintptr_t begin = at / page_bytes * page_bytes;
    watch->is_lost.store(true);
    const void* zeros = ::mmap(reinterpret_cast<void*>(begin), end - begin, PROT_READ,
                               MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED | MAP_NORESERVE, -1, 0);
    errno = saved_errno;
    if (zeros != MAP_FAILED) return;
    break;
  }
  pass_on(signal, info, context);
}

void install_handler() {
  page_bytes = static_cast<uintptr_t>(::sysconf(_SC_PAGESIZE));
  struct sigaction action{};
  action.sa_sigaction = replace_lost_pages;
  action.sa_flags = SA_SIGINFO | SA_RESTART | SA_ONSTACK;
  ::sigemptyset(&action.sa_mask);
  ::sigaction(SIGBUS, &action, &previous_action);
}

LostPages::Watch* take_watch() {
  for (LostPages::Watch* watch = first_watch.load(); watch != nullptr; watch = watch->next) {
    bool is_taken = false;
    if (watch->is_taken.compare_exchange_strong(is_taken, true)) return watch;
  }
  auto* watch = new LostPages::Watch;  // for the handler, for ever
  watch->next = first_watch.load();
  while (!first_watch.compare_exchange_weak(watch->next, watch)) {
  }
  return watch;
}

}  // namespace

LostPages::LostPages(const uint8_t* begin, size_t size_bytes) {
  static std::once_flag once;
  std::call_once(once, install_handler);
  watch_ = take_watch();
  watch_->is_lost = false;
  watch_->begin = reinterpret_cast<uintptr_t>(begin);
  watch_->end = reinterpret_cast<uintptr_t>(begin) + size_bytes;
}

LostPages::~LostPages() {
  watch_->end = 0;
  watch_->is_taken = false;
}

}  // namespace ait
