// What a batch of runs needs besides arithmetic: which start comes next, where finished runs go, and how many may wait
// there.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <vector>

#include "philox.h"
#include "problem.h"

namespace manystart {

/// Numbers of src/core/status.ts.
enum class Status : uint8_t { converged, stalled, budget, failed };

struct RunOptions {
  uint64_t count = 0, first = 0, seed = 0;
  /// Random starts: θ0 by philox.h.
  bool normal = true;
  std::vector<double> scale;
  /// From the coordinates that they are drawn in to those of the problem; empty where they are the same.
  ParameterMap map;
  /// Given starts [count, P]; null for random ones.
  const double* given = nullptr;
  /// Values of inputs of the program that runs bring along: slot (v ≥ 0 a vector's, else −1 − slot of a scalar) and
  /// [count] or [count, P].
  std::vector<std::pair<int, const double*>> inputs;
  /// [count, P], or null: the runs' own penalties, and 0 for coordinates that keep their value.
  const double* own_ridge = nullptr;
  const double* own_free = nullptr;
  /// [count], or null: the numbers that a run's start and mini-batches are drawn by, default its own; and its resample
  /// of the rows.
  const double* draw_start = nullptr;
  const double* draw_order = nullptr;
  const double* draw_rows = nullptr;
  Resampling resampling;
  uint64_t steps = 500;
  double gradient = 0;
  /// Rows per mini-batch; 0: full batch.
  uint32_t batch = 0;
  bool shared_order = false;
  uint64_t batch_seed = 0;
  uint64_t lanes = 0;
  int threads = 1;
  uint32_t block_runs = 2048;
  bool trace = false;
};

struct Block {
  uint32_t count = 0;
  std::vector<double> start, theta, loss, gradient_norm, report;
  std::vector<uint32_t> steps;
  std::vector<uint8_t> status;
  std::vector<std::vector<double>> traces;
};

/// Shared by the threads of one call: deals out starts, gathers finished runs into blocks.
class Sink {
 public:
  /// `ready` is called, from any thread, whenever a block may be taken.
  Sink(const RunOptions& options, std::function<void()> ready) : options_(options), ready_(std::move(ready)) {}

  /// The next start, counted from 0; false when there are none left or the call was aborted.
  bool next(uint64_t& index) {
    if (aborted()) return false;
    index = next_.fetch_add(1, std::memory_order_relaxed);
    return index < options_.count;
  }
  bool aborted() const { return aborted_.load(std::memory_order_relaxed); }
  void abort() {
    aborted_ = true;
    std::lock_guard lock(mutex_);
    room_.notify_all();
  }

  template <class Fill>
  void append(Fill fill) {
    std::unique_lock lock(mutex_);
    room_.wait(lock, [&] { return blocks_.size() < max_waiting || aborted(); });
    if (!current_) {
      current_ = std::make_unique<Block>();
      begun_ = std::chrono::steady_clock::now();
    }
    fill(*current_);
    // Slow runs are handed over before a block is full: progress shows, and an interruption finds little unjudged.
    if (++current_->count < options_.block_runs && std::chrono::steady_clock::now() - begun_ < patience) return;
    blocks_.push_back(std::move(current_));
    lock.unlock();
    ready_();
  }
  /// The last thread hands over what is left.
  void finish() {
    {
      std::lock_guard lock(mutex_);
      if (current_) blocks_.push_back(std::move(current_));
      finished_ = true;
    }
    ready_();
  }
  /// Runs of the first block that waits, 0 where none does; `end` when there will be no more.
  uint32_t waiting(bool& end) {
    std::lock_guard lock(mutex_);
    end = finished_ && blocks_.empty();
    return blocks_.empty() ? 0 : blocks_.front()->count;
  }
  /// That block, or null.
  std::unique_ptr<Block> take() {
    std::lock_guard lock(mutex_);
    if (blocks_.empty()) return nullptr;
    auto block = std::move(blocks_.front());
    blocks_.pop_front();
    room_.notify_all();
    return block;
  }
  void count_lanes(uint64_t busy, uint64_t all) { busy_ += busy, all_ += all; }
  /// Lane-steps in which a run was in the lane, and all lane-steps.
  uint64_t busy() const { return busy_; }
  uint64_t all() const { return all_; }

 private:
  static constexpr size_t max_waiting = 4;
  static constexpr std::chrono::milliseconds patience{1000};
  const RunOptions& options_;
  std::function<void()> ready_;
  std::atomic<uint64_t> next_{0}, busy_{0}, all_{0};
  std::atomic<bool> aborted_{false};
  std::mutex mutex_;
  std::condition_variable room_;
  std::unique_ptr<Block> current_;
  std::chrono::steady_clock::time_point begun_;
  std::deque<std::unique_ptr<Block>> blocks_;
  bool finished_ = false;
};

}  // namespace manystart
