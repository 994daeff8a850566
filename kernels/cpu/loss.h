// Losses and activations over the rows of a tile, a lane group at a time (kernels/README.md; twin: src/models/losses.ts).
#pragma once

#include "math.h"
#include "problem.h"

namespace MS_TARGET {

using manystart::Activation;
using manystart::Loss;

/// a[i], d1[i] and (when not null) d2[i] ← φ, φ′, φ″ of u[i], i < count registers.
template <class T, Activation A>
void activate(const T* u, T* a, T* d1, T* d2, size_t count) {
  for (size_t i = 0; i < count; i++) {
    const Vec<T> z = load(u + i * W<T>);
    Vec<T> value = z, first = broadcast(T(1)), second = Vec<T>{};
    if constexpr (A == Activation::tanh) {
      vtanh<T>(z, value, first);
      second = -2 * value * first;
    } else if constexpr (A == Activation::logistic) {
      const auto s = vsigmoid<T>(z);
      value = s.up;
      first = s.up * s.down;
      second = first * (s.down - s.up);
    } else if constexpr (A == Activation::softplus) {
      const auto s = vsigmoid<T>(z);
      value = vmax(z, Vec<T>{}) + vlog1p_unit<T>(s.e);
      value = z == z ? value : z;
      first = s.up;
      second = s.up * s.down;
    } else if constexpr (A == Activation::relu) {
      value = z <= 0 ? Vec<T>{} : z;
      first = z > 0 ? broadcast(T(1)) : Vec<T>{};
    }
    store(a + i * W<T>, value);
    store(d1 + i * W<T>, first);
    if (d2) store(d2 + i * W<T>, second);
  }
}

template <class T>
void activate(Activation kind, const T* u, T* a, T* d1, T* d2, size_t count) {
  switch (kind) {
    case Activation::identity: return activate<T, Activation::identity>(u, a, d1, d2, count);
    case Activation::tanh: return activate<T, Activation::tanh>(u, a, d1, d2, count);
    case Activation::logistic: return activate<T, Activation::logistic>(u, a, d1, d2, count);
    case Activation::softplus: return activate<T, Activation::softplus>(u, a, d1, d2, count);
    case Activation::relu: return activate<T, Activation::relu>(u, a, d1, d2, count);
  }
}

template <class T>
struct Terms {
  Vec<T> value, first, second;
};

/// ℓ, ℓ′ and ℓ″ at z with target y (one row; y is per lane because mini-batches differ between lanes).
template <class T, Loss K>
MS_INLINE Terms<T> loss_terms(Vec<T> z, Vec<T> y) {
  const Vec<T> zero{};
  const Vec<T> not_y = 1 - y;
  if constexpr (K == Loss::squared) {
    const Vec<T> r = z - y;
    return {T(0.5) * r * r, r, broadcast(T(1))};
  } else if constexpr (K == Loss::logistic) {
    const auto s = vsigmoid<T>(z);
    // max(z, 0) − y z without forming a difference; a term with weight 0 is not there.
    const Vec<T> up = not_y == 0 ? zero : not_y * z;
    const Vec<T> down = y == 0 ? zero : -y * z;
    const Vec<T> linear = z > 0 ? up : down;
    const Vec<T> value = linear + vlog1p_unit<T>(s.e);
    return {z == z ? value : z, not_y * s.up - y * s.down, s.up * s.down};
  } else if constexpr (K == Loss::brier) {
    const auto s = vsigmoid<T>(z);
    const Vec<T> d = not_y * s.up - y * s.down;
    const Vec<T> v = s.up * s.down;
    return {T(0.5) * d * d, d * v, v * v + d * v * (s.down - s.up)};
  } else if constexpr (K == Loss::probit) {
    const auto a = vnormal<T>(z);
    const auto b = vnormal<T>(-z);
    const Vec<T> up = y == 0 ? zero : y * a.log_cdf;
    const Vec<T> down = not_y == 0 ? zero : not_y * b.log_cdf;
    return {-(up + down), not_y * b.hazard - y * a.hazard,
            y * a.hazard * a.excess + not_y * b.hazard * b.excess};
  } else if constexpr (K == Loss::cloglog) {
    const Vec<T> u = vexp<T>(z);
    const auto left = z < T(-36);
    const Vec<T> em1 = vexpm1_negative<T>(-u);  // e^−u − 1
    const Vec<T> e = vexp<T>(-u);
    // −log(1 − e^−u): −log(−em1), or −log1p(−e) = 2 atanh(e/(2 − e)) where e is small.
    const Vec<T> event_near = e < T(0.25) ? twice_atanh<T>(e / (2 - e)) : -vlog<T>(-em1);
    const Vec<T> event = left ? -z : event_near;
    // q = u/(e^u − 1) = u e^−u/(1 − e^−u); k = 1 − u/(1 − e^−u), by its series for small u.
    const auto tiny = u == 0;
    const auto huge = u > T(700);
    const Vec<T> ratio = tiny ? broadcast(T(1)) : u / -em1;
    const Vec<T> q = huge ? zero : ratio * e;
    const Vec<T> s = u * u;
    const Vec<T> series =
        u * T(-0.5) - s * (T(1.0 / 12) - s * (T(1.0 / 720) - s * (T(1.0 / 30240) - s * T(1.0 / 1209600))));
    const Vec<T> k = u < T(0.25) ? series : 1 - ratio;
    const Vec<T> slope = huge ? zero : q * k;
    const Vec<T> rest = not_y == 0 ? zero : not_y * u;
    const Vec<T> at_event = y == 0 ? zero : y * event;
    const Vec<T> value = at_event + rest;
    return {z == z ? value : z, rest - (y == 0 ? zero : y * q), rest - (y == 0 ? zero : y * slope)};
  } else if constexpr (K == Loss::poisson) {
    const Vec<T> u = vexp<T>(z);
    return {u - y * z, u - y, u};
  } else {
    const Vec<T> e = vexp<T>(-z);
    const Vec<T> u = y == 0 ? zero : y * e;
    return {z + u, 1 - u, u};
  }
}

}  // namespace MS_TARGET
