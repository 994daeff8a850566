// Work that threads share out among themselves while they are at it: one that starts late, or whose core has other work
// too, does less of it.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstddef>

namespace manystart {

/// Items 0 … n−1 in whole units, such as lane groups.
class Parts {
 public:
  Parts(size_t n, size_t unit, size_t threads = 1) : n_(n), unit_(unit), threads_(threads) {}

  size_t units() const { return (n_ + unit_ - 1) / unit_; }

  /// Items from … to − 1, which no other thread has; false where none are left. The fewer are left, the fewer are
  /// given, so that all threads end together.
  bool next(size_t& from, size_t& to) {
    const size_t all = units();
    size_t at = taken_.load(), count;
    do {
      if (at >= all) return false;
      count = std::max<size_t>(1, (all - at) / (2 * threads_));
    } while (!taken_.compare_exchange_weak(at, at + count));
    from = at * unit_, to = std::min(n_, (at + count) * unit_);
    return true;
  }

  /// Nothing is given any more.
  void stop() { taken_ = units(); }

 private:
  const size_t n_, unit_, threads_;
  std::atomic<size_t> taken_{0};
};

}  // namespace manystart
