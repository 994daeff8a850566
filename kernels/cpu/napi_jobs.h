// Work off the event loop: a job on a thread of its own that settles a promise, and its work over several threads.
#pragma once

#include <algorithm>
#include <exception>
#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "napi_values.h"

namespace node {

/// Work on a pool thread that settles a promise. JavaScript values it touches are kept by references.
struct Job {
  napi_deferred deferred = nullptr;
  napi_async_work work = nullptr;
  napi_ref keep = nullptr;
  std::function<void()> body;
  std::string error;
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
    } catch (const std::exception& e) {
      j->error = e.what();
    }
  };
  auto complete = [](napi_env e, napi_status, void* data) {
    std::unique_ptr<Job> j(static_cast<Job*>(data));
    napi_value kept, value;
    napi_get_reference_value(e, j->keep, &kept);
    napi_get_element(e, kept, 0, &value);
    if (j->error.empty()) {
      napi_resolve_deferred(e, j->deferred, value);
    } else {
      napi_value message, error;
      napi_create_string_utf8(e, j->error.c_str(), NAPI_AUTO_LENGTH, &message);
      napi_create_error(e, nullptr, message, &error);
      napi_reject_deferred(e, j->deferred, error);
    }
    napi_delete_reference(e, j->keep);
    napi_delete_async_work(e, j->work);
  };
  check(env, napi_create_async_work(env, nullptr, name, execute, complete, job.get(), &job->work));
  check(env, napi_queue_async_work(env, job->work));
  job.release();
  return promise;
}

/// Splits 0 … n−1 over threads in pieces that are whole lane groups.
template <class F>
void over_threads(size_t n, int threads, int lanes, F body) {
  const size_t pieces = (n + lanes - 1) / lanes;
  const size_t used = std::max<size_t>(1, std::min<size_t>(threads, pieces));
  std::vector<std::thread> pool;
  std::vector<std::string> errors(used);
  auto part = [&](size_t t) {
    try {
      body(t, std::min(n, pieces * t / used * lanes), std::min(n, pieces * (t + 1) / used * lanes));
    } catch (const std::exception& e) {
      errors[t] = e.what();
    }
  };
  for (size_t t = 1; t < used; t++) pool.emplace_back(part, t);
  part(0);
  for (auto& thread : pool) thread.join();
  for (auto& e : errors)
    if (!e.empty()) throw std::runtime_error(e);
}

}  // namespace node
