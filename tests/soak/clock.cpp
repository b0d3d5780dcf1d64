// LD_PRELOAD: a wall clock that is wrong by the seconds in the third number of the file $RC3_SIGNS (see training.cpp).
// Waits until a time of that clock end when it says so: LibTorch's Gloo has such waits.
#include <dlfcn.h>
#include <fcntl.h>
#include <pthread.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include <cstdint>
#include <cstdlib>

namespace {

const volatile std::int64_t* signs = nullptr;

__attribute__((constructor)) void open_signs() {
  const char* path = std::getenv("RC3_SIGNS");
  const int file = path == nullptr ? -1 : ::open(path, O_RDONLY | O_CLOEXEC);
  void* at = file < 0 ? MAP_FAILED : ::mmap(nullptr, 24, PROT_READ, MAP_SHARED, file, 0);
  if (at != MAP_FAILED) signs = static_cast<const volatile std::int64_t*>(at);
}

}  // namespace

extern "C" {

int clock_gettime(clockid_t clock, timespec* now) noexcept {
  const auto result = static_cast<int>(::syscall(SYS_clock_gettime, clock, now));
  if (result == 0 && signs != nullptr && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE))
    now->tv_sec += signs[2];
  return result;
}
int gettimeofday(timeval* now, void*) noexcept {
  timespec precise;
  clock_gettime(CLOCK_REALTIME, &precise);
  now->tv_sec = precise.tv_sec;
  now->tv_usec = precise.tv_nsec / 1000;
  return 0;
}
int pthread_cond_timedwait(pthread_cond_t* condition, pthread_mutex_t* mutex, const timespec* until) {
  using Wait = int (*)(pthread_cond_t*, pthread_mutex_t*, const timespec*);
  static const auto wait = [] {
    void* found = ::dlvsym(RTLD_NEXT, "pthread_cond_timedwait", "GLIBC_2.3.2");  // there are two on x86-64
    return reinterpret_cast<Wait>(found != nullptr ? found : ::dlsym(RTLD_NEXT, "pthread_cond_timedwait"));
  }();
  timespec in_truth = *until;
  if (signs != nullptr && until->tv_sec > 1'000'000'000) in_truth.tv_sec -= signs[2];  // else: of the steady clock
  return wait(condition, mutex, &in_truth);
}
time_t time(time_t* now) noexcept {
  timespec precise;
  clock_gettime(CLOCK_REALTIME, &precise);
  if (now != nullptr) *now = precise.tv_sec;
  return precise.tv_sec;
}
}
