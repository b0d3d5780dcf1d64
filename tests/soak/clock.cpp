// LD_PRELOAD: a wall clock that is wrong by the seconds in the third number of the file $RC3_SIGNS (see training.cpp).
#include <fcntl.h>
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
time_t time(time_t* now) noexcept {
  timespec precise;
  clock_gettime(CLOCK_REALTIME, &precise);
  if (now != nullptr) *now = precise.tv_sec;
  return precise.tv_sec;
}
}
