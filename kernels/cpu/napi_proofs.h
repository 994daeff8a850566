// Proofs and their operations for JavaScript; src/engines/cpu/addon.ts states the types.
#pragma once

#include <cmath>
#include <tuple>

#include "napi_problem.h"

namespace node {

inline const Prepared* with_f64(const Prepared* prepared) {
  if (!prepared->p64) throw Failure{"proofs need f64"};
  return prepared;
}

// prove(problem, theta, settle, threads) → Promise<{hi, lo, radii, rounded, numbers}>: [R, P] each, and [R,
// proof_numbers].
inline napi_value prove(napi_env env, napi_callback_info info) {
  return guarded(env, [&] {
    const auto args = arguments(env, info, 4);
    const Prepared* prepared = with_f64(external<Prepared>(env, args[0]));
    const auto theta = array<double>(env, args[1]);
    const bool settle = boolean(env, args[2]);
    const size_t threads = size_t(number(env, args[3]));
    const size_t P = prepared->P(), R = theta.size / P;
    Proofs out;
    const napi_value result = object(env);
    const std::tuple<const char*, size_t, double**> fields[] = {{"hi", P, &out.hi},
                                                                {"lo", P, &out.lo},
                                                                {"radii", P, &out.radii},
                                                                {"rounded", P, &out.rounded},
                                                                {"numbers", size_t(proof_numbers), &out.numbers}};
    for (auto& [name, width, into] : fields)
      set(env, result, name, typed<double>(env, napi_float64_array, nullptr, R * width, into));
    const double* t = theta.data;
    const auto kernel = settle ? prepared->target->prover->settle : prepared->target->prover->prove;
    return start_shared_job(env, R, 1, threads, [=](size_t, Parts& parts) { kernel(*prepared->p64, t, parts, out); },
                            result, {args[0], args[1]});
  });
}

// boxHolds(problem, center, radii) → whether Krawczyk's test holds there
inline napi_value box_holds(napi_env env, napi_callback_info info) {
  return guarded(env, [&] {
    const auto args = arguments(env, info, 3);
    const Prepared* prepared = with_f64(external<Prepared>(env, args[0]));
    const auto center = array<double>(env, args[1]), radii = array<double>(env, args[2]);
    if (center.size != size_t(prepared->P()) || radii.size != center.size)
      throw Failure{"a box needs one number per parameter"};
    napi_value out;
    check(env, napi_get_boolean(env, prepared->target->prover->holds(*prepared->p64, center.data, radii.data), &out));
    return out;
  });
}

// firstOutside(theta, from, to, center, radii) → number: a loop that is over before a compiler of JavaScript has warmed
// to it
inline napi_value first_outside(napi_env env, napi_callback_info info) {
  return guarded(env, [&] {
    const auto args = arguments(env, info, 5);
    const auto theta = array<double>(env, args[0]), center = array<double>(env, args[3]),
               radii = array<double>(env, args[4]);
    const size_t from = size_t(number(env, args[1])), to = size_t(number(env, args[2])), P = center.size;
    if (radii.size != P || theta.size < to * P) throw Failure{"points and box do not fit"};
    size_t i = from;
    for (bool inside = true; i < to; i += inside) {
      for (size_t p = 0; inside && p < P; p++)
        inside = std::fabs(theta.data[i * P + p] - center.data[p]) <= radii.data[p];
      if (!inside) break;
    }
    return make_number(env, double(i));
  });
}

// boxDerivatives(problem, lo, hi) → Float64Array, as prover.h lists it
inline napi_value box_derivatives(napi_env env, napi_callback_info info) {
  return guarded(env, [&] {
    const auto args = arguments(env, info, 3);
    const Prepared* prepared = with_f64(external<Prepared>(env, args[0]));
    const auto lo = array<double>(env, args[1]), hi = array<double>(env, args[2]);
    const size_t P = prepared->P();
    if (lo.size != P || hi.size != P) throw Failure{"a box needs one number per parameter"};
    double* out;
    const napi_value result = typed<double>(env, napi_float64_array, nullptr, 2 * P + 2 * P * P + 3 * (P + 1), &out);
    prepared->target->prover->derivatives(*prepared->p64, lo.data, hi.data, out);
    return result;
  });
}

// enclose(target, operation, a [2, n], b [2, n] or null) → [2, n]: intervals as their lower ends, then their upper
// ends. encloseBalls(target, operation, a [n, 3], b or null) → [n, 3]: hi, lo and radius of each. For the tests of the
// operations.
template <bool balls>
napi_value enclose(napi_env env, napi_callback_info info) {
  return guarded(env, [&] {
    const auto args = arguments(env, info, 4);
    const ProverKernels& prover = *find_target(text(env, args[0])).prover;
    const int operation = int(number(env, args[1]));
    const auto a = array<double>(env, args[2]);
    const Span<double> b = absent(env, args[3]) ? Span<double>{} : array<double>(env, args[3]);
    if (b.data && b.size != a.size) throw Failure{"operands of different lengths"};
    double* out;
    const napi_value result = typed<double>(env, napi_float64_array, nullptr, a.size, &out);
    if constexpr (balls) {
      prover.enclose_balls(operation, a.size / 3, a.data, b.data, out);
    } else {
      const size_t n = a.size / 2;
      prover.enclose(operation, n, a.data, a.data + n, b.data, b.data ? b.data + n : nullptr, out, out + n);
    }
    return result;
  });
}

}  // namespace node
