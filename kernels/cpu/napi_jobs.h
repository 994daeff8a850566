// Work off the event loop: a job on a thread of its own that settles a promise, and its work over several threads.
#pragma once

#include <algorithm>
#include <condition_variable>
#include <deque>
#include <exception>
#include <functional>
#include <memory>
#include <mutex>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

#include "napi_values.h"
#include "parts.h"

namespace node {

using manystart::Parts;

/// Work on a pool thread that settles a promise. JavaScript values it touches are kept by references.
struct Job {
  napi_deferred deferred = nullptr;
  napi_async_work work = nullptr;
  napi_ref keep = nullptr;
  std::function<void()> body;
  std::exception_ptr error;
};
inline napi_value start_job(napi_env env, std::function<void()> body, napi_value result, std::vector<napi_value> held) {
  auto job = std::make_unique<Job>();
  job->body = std::move(body);
  napi_value promise, list, name;
  check(env, napi_create_array_with_length(env, held.size() + 1, &list));
  check(env, napi_set_element(env, list, 0, result));
  for (size_t i = 0; i < held.size(); i++) check(env, napi_set_element(env, list, uint32_t(i + 1), held[i]));
  check(env, napi_create_reference(env, list, 1, &job->keep));
  check(env, napi_create_promise(env, &job->deferred, &promise));
  check(env, napi_create_string_utf8(env, "manystart", NAPI_AUTO_LENGTH, &name));
  auto execute = [](napi_env, void* data) {
    Job* j = static_cast<Job*>(data);
    try {
      j->body();
    } catch (const std::exception&) {
      j->error = std::current_exception();
    }
  };
  auto complete = [](napi_env e, napi_status, void* data) {
    std::unique_ptr<Job> j(static_cast<Job*>(data));
    napi_value kept, value;
    napi_get_reference_value(e, j->keep, &kept);
    napi_get_element(e, kept, 0, &value);
    if (j->error) napi_reject_deferred(e, j->deferred, error_of(e, j->error));
    else napi_resolve_deferred(e, j->deferred, value);
    napi_delete_reference(e, j->keep);
    napi_delete_async_work(e, j->work);
  };
  check(env, napi_create_async_work(env, nullptr, name, execute, complete, job.get(), &job->work));
  check(env, napi_queue_async_work(env, job->work));
  job.release();
  return promise;
}

/// Threads that are waited for, whatever happens meanwhile.
class Pool {
 public:
  Pool() = default;
  Pool(const Pool&) = delete;
  Pool& operator=(const Pool&) = delete;
  ~Pool() { join(); }

  /// Begins a thread. @returns false where the system gives no more of them
  template <class... Call>
  bool begin(Call&&... call) {
    try {
      threads_.emplace_back(std::forward<Call>(call)...);
      return true;
    } catch (const std::system_error&) {
      return false;
    }
  }
  size_t size() const { return threads_.size(); }
  void join() {
    for (auto& thread : threads_) thread.join();
    threads_.clear();
  }

 private:
  std::vector<std::thread> threads_;
};

/// Threads of an environment that wait for work. They are called from the thread of JavaScript, which leaves its core
/// for one of them: a thread that is made by a job's own starts late, and often on the core of the one that made it.
class Team {
 public:
  /// Calls `work` on so many threads, as soon as they are free.
  void call(size_t count, const std::function<void()>& work) {
    {
      std::lock_guard lock(mutex_);
      // Where the system gives fewer, those that there are do more.
      while (members_.size() < count && members_.begin([this] { wait(); })) {}
      waiting_.insert(waiting_.end(), std::min(count, members_.size()), work);
    }
    ready_.notify_all();
  }
  void end() {
    {
      std::lock_guard lock(mutex_);
      ended_ = true;
    }
    ready_.notify_all();
    members_.join();
  }

 private:
  std::mutex mutex_;
  std::condition_variable ready_;
  std::deque<std::function<void()>> waiting_;
  Pool members_;
  bool ended_ = false;

  void wait() {
    for (std::unique_lock lock(mutex_);;) {
      ready_.wait(lock, [&] { return ended_ || !waiting_.empty(); });
      if (ended_) return;
      const auto work = std::move(waiting_.front());
      waiting_.pop_front();
      lock.unlock();
      work();
      lock.lock();
    }
  }
};

/// What the addon keeps for one environment.
struct Environment {
  Team team;
};
inline Environment* environment(napi_env env) {
  void* data;
  check(env, napi_get_instance_data(env, &data));
  return static_cast<Environment*>(data);
}

/// Work that a job's thread and those of the team share. A thread that comes when nothing is left does nothing.
class SharedWork {
 public:
  /// `body` gets the number of its thread, 0 … threads − 1, and the parts to take from.
  SharedWork(size_t n, size_t unit, size_t threads, std::function<void(size_t, Parts&)> body)
      : parts_(n, unit, threads), body_(std::move(body)) {}

  void take_part() {
    size_t thread;
    {
      std::lock_guard lock(mutex_);
      if (ended_) return;
      thread = threads_++, inside_++;
    }
    try {
      body_(thread, parts_);
    } catch (const std::exception&) {
      std::lock_guard lock(mutex_);
      error_ = std::current_exception();
      parts_.stop();
    }
    std::lock_guard lock(mutex_);
    ended_ = true, inside_--;
    left_.notify_all();
  }
  void finish() {
    take_part();
    std::unique_lock lock(mutex_);
    left_.wait(lock, [&] { return inside_ == 0; });
    if (error_) std::rethrow_exception(error_);
  }

 private:
  Parts parts_;
  const std::function<void(size_t, Parts&)> body_;
  std::mutex mutex_;
  std::condition_variable left_;
  size_t threads_ = 0, inside_ = 0;
  bool ended_ = false;
  std::exception_ptr error_;
};

/// A job over 0 … n−1 in whole units, on at most so many threads; then `after`, where there is such.
inline napi_value start_shared_job(napi_env env, size_t n, size_t unit, size_t threads,
                                   std::function<void(size_t, Parts&)> body, napi_value result,
                                   std::vector<napi_value> held, std::function<void()> after = nullptr) {
  const size_t used = std::max<size_t>(1, std::min(threads, (n + unit - 1) / unit));
  const auto work = std::make_shared<SharedWork>(n, unit, used, std::move(body));
  const auto whole = [work, after = std::move(after)] {
    work->finish();
    if (after) after();
  };
  const napi_value promise = start_job(env, whole, result, std::move(held));
  environment(env)->team.call(used - 1, [work] { work->take_part(); });
  return promise;
}

}  // namespace node
