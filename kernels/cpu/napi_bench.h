// Kernels timed for JavaScript; src/engines/cpu/addon.ts states the types.
#pragma once

#include "napi_jobs.h"
#include "napi_problem.h"
#include "napi_program.h"

namespace node {

/// Calls body(0 … threads − 1), each on a thread of its own.
template <class F>
void at_once(size_t threads, F body) {
  std::vector<std::exception_ptr> failures(threads);
  const auto part = [&](size_t t) {
    try {
      body(t);
    } catch (...) {
      failures[t] = std::current_exception();
    }
  };
  {
    Pool pool;
    for (size_t t = 1; t < threads; t++)
      if (!pool.begin(part, t))
        throw std::system_error(std::make_error_code(std::errc::resource_unavailable_try_again));
    part(0);
  }
  for (const auto& failure : failures)
    if (failure) std::rethrow_exception(failure);
}

// bench(problem, what, theta [threads, lanes, P], repeats, program?, threads, bytes) → Promise<Float64Array>, all
// threads at once, a lane group each. what: 'gradient' | 'hessian' | 'eigh': mean seconds of each repeat; 'step':
// evaluation then update seconds; 'peak', 'copy' (of so many bytes a thread): one figure, the sum.
inline napi_value bench(napi_env env, napi_callback_info info) {
  return guarded(env, [&] {
    const auto args = arguments(env, info, 7);
    const Prepared* prepared = external<Prepared>(env, args[0]);
    const std::string what = text(env, args[1]);
    const auto theta = array<double>(env, args[2]);
    const int repeats = int(number(env, args[3]));
    const int threads = int(number(env, args[5]));
    const size_t bytes = size_t(number(env, args[6]));
    auto program = std::make_shared<Program>();
    if (what == "step") *program = read_program(env, args[4]);
    const bool rate = what == "peak" || what == "copy";
    const size_t group = rate ? 0 : prepared->with([](auto&, auto& k) { return size_t(k.lanes); }) * prepared->P();
    if (threads < 1 || theta.size != group * threads) throw Failure{"theta must hold one lane group for each thread"};
    double* out;
    const size_t n = rate ? 1 : what == "step" ? 2 * size_t(repeats) : size_t(repeats);
    const napi_value result = typed<double>(env, napi_float64_array, nullptr, n, &out);
    const double* t = theta.data;
    return start_job(env,
                     [=] {
                       std::vector<double> all(n * threads);
                       at_once(threads, [&](size_t thread) {
                         double* own = all.data() + thread * n;
                         const double* points = t + thread * group;
                         prepared->with([&](auto& problem, auto& k) {
                           if (what == "peak") *own = k.fma_peak(repeats / 1000.0);
                           else if (what == "copy") *own = k.copy_rate(repeats / 1000.0, bytes);
                           else if (what == "eigh") k.time_eigh(problem, points, repeats, own);
                           else if (what == "step") k.time_step(problem, *program, points, repeats, own, own + repeats);
                           else k.time_evaluate(problem, points, what == "hessian", repeats, own);
                         });
                       });
                       for (size_t i = 0; i < n; i++) {
                         out[i] = 0;
                         for (int thread = 0; thread < threads; thread++)
                           out[i] += all[thread * n + i] / (rate ? 1 : threads);
                       }
                     },
                     result, {args[0], args[2]});
  });
}

}  // namespace node
