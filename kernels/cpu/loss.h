// Losses and activations over the rows of a tile, a lane group at a time (kernels/README.md; twin: src/models/losses.ts).
#pragma once

#include "math.h"
#include "problem.h"

namespace MS_TARGET {

using manystart::Activation;
using manystart::Loss;

/// φ, φ′ and φ″ of `u`; the second derivative costs nothing where it is not used.
template <class T, Activation A, int U>
MS_INLINE void activation_terms(const Pack<T, U>& u, Pack<T, U>& value, Pack<T, U>& first, Pack<T, U>& second) {
  using V = Pack<T, U>;
  value = u, first = T(1), second = T(0);
  if constexpr (A == Activation::tanh) {
    vtanh<T, U>(u, value, first);
    second = T(-2) * value * first;
  } else if constexpr (A == Activation::logistic) {
    const auto s = vsigmoid<T, U>(u);
    value = s.up;
    first = s.up * s.down;
    second = first * (s.down - s.up);
  } else if constexpr (A == Activation::softplus) {
    const auto s = vsigmoid<T, U>(u);
    // A NaN stays one: it is the second argument.
    value = max(V(T(0)), u) + vlog1p_unit<T, U>(s.e);
    first = s.up;
    second = s.up * s.down;
  } else if constexpr (A == Activation::relu) {
    value = max(V(T(0)), u);
    first = select(u > T(0), V(T(1)), V(T(0)));
  }
}

template <class T, Activation A, int U>
MS_INLINE void activate_pack(const T* u, T* a, T* d1, T* d2) {
  Pack<T, U> value, first, second;
  activation_terms<T, A, U>(load_pack<U>(u), value, first, second);
  store(a, value);
  store(d1, first);
  if (d2) store(d2, second);
}

/// a[i], d1[i] and (when not null) d2[i] ← φ, φ′, φ″ of u[i], i < count registers, whole lane groups.
template <class T, Activation A>
void activate(const T* u, T* a, T* d1, T* d2, size_t count) {
  constexpr int rest = VPL<T> < PACK ? VPL<T> : PACK;
  size_t i = 0;
  for (; i + PACK <= count; i += PACK)
    activate_pack<T, A, PACK>(u + i * W<T>, a + i * W<T>, d1 + i * W<T>, d2 ? d2 + i * W<T> : nullptr);
  for (; i < count; i += rest)
    activate_pack<T, A, rest>(u + i * W<T>, a + i * W<T>, d1 + i * W<T>, d2 ? d2 + i * W<T> : nullptr);
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

template <class T, int U>
struct Terms {
  Pack<T, U> value, first, second;
};

/// weight · term; a term with weight 0 is not there, even where its other factor is infinite.
template <class T, int U>
MS_INLINE Pack<T, U> part(const Pack<T, U>& weight, const Pack<T, U>& term) {
  return select(weight == T(0), Pack<T, U>(T(0)), weight * term);
}

/// The logistic loss at z with target y: ℓ = linear + log(1 + e), linear = max(z, 0) − y z without forming a difference, and ℓ′.
template <class T, int U>
struct Logistic {
  Pack<T, U> linear, e, first, up_down;
};
template <class T, int U>
MS_INLINE Logistic<T, U> logistic_terms(const Pack<T, U>& z, const Pack<T, U>& y) {
  using V = Pack<T, U>;
  const V not_y = T(1) - y;
  const auto positive = z >= T(0);
  const V size = abs(z);
  const V e = vexp_negative<T, U>(-size);
  const V big = T(1) / (T(1) + e);
  const V small = e * big;
  // Where z < 0 the classes change places, and so does the sign of ℓ′.
  const V against = select(positive, not_y, y), with = select(positive, y, not_y);
  const V first = fma(-with, small, against * big);
  return {part<T, U>(against, size), e, select(positive, first, -first), small * big};
}

/// ℓ, ℓ′ and ℓ″ at z with target y (a pack too, because mini-batches differ between lanes).
template <class T, Loss K, int U>
MS_INLINE Terms<T, U> loss_terms(const Pack<T, U>& z, const Pack<T, U>& y) {
  using V = Pack<T, U>;
  const V zero = T(0), one = T(1);
  const V not_y = one - y;
  const auto keep_nan = [&](const V& value) { return select(z == z, value, z); };
  if constexpr (K == Loss::squared) {
    const V r = z - y;
    return {T(0.5) * r * r, r, one};
  } else if constexpr (K == Loss::logistic) {
    const auto t = logistic_terms<T, U>(z, y);
    return {keep_nan(t.linear + vlog1p_unit<T, U>(t.e)), t.first, t.up_down};
  } else if constexpr (K == Loss::brier) {
    const auto s = vsigmoid<T, U>(z);
    const V d = not_y * s.up - y * s.down;
    const V v = s.up * s.down;
    return {T(0.5) * d * d, d * v, v * v + d * v * (s.down - s.up)};
  } else if constexpr (K == Loss::probit) {
    const auto a = vnormal<T, U>(z);
    const auto b = vnormal<T, U>(-z);
    return {-(part<T, U>(y, a.log_cdf) + part<T, U>(not_y, b.log_cdf)), not_y * b.hazard - y * a.hazard,
            y * a.hazard * a.excess + not_y * b.hazard * b.excess};
  } else if constexpr (K == Loss::cloglog) {
    const V u = vexp<T, U>(z);
    const V em1 = vexpm1_negative<T, U>(-u);  // e^−u − 1
    const V e = vexp_negative<T, U>(-u);
    // −log(1 − e^−u): −log(−em1), or −log1p(−e) = 2 atanh(e/(2 − e)) where e is small.
    const V event_near = select(e < T(0.25), twice_atanh<T, U>(e / (T(2) - e)), -vlog<T, U>(-em1));
    const V event = select(z < T(-36), -z, event_near);
    // q = u/(e^u − 1) = u e^−u/(1 − e^−u); k = 1 − u/(1 − e^−u), by its series for small u.
    const auto huge = u > T(700);
    const V ratio = select(u == zero, one, u / -em1);
    const V q = select(huge, zero, ratio * e);
    const V s = u * u;
    const V tail = T(1.0 / 30240) - s * (T(1.0 / 1209600) - s * T(1.0 / 47900160));
    const V series = u * T(-0.5) - s * (T(1.0 / 12) - s * (T(1.0 / 720) - s * tail));
    const V k = select(u < T(0.25), series, one - ratio);
    const V slope = select(huge, zero, q * k);
    const V rest = part<T, U>(not_y, u);
    return {keep_nan(part<T, U>(y, event) + rest), rest - part<T, U>(y, q), rest - part<T, U>(y, slope)};
  } else if constexpr (K == Loss::poisson) {
    const V u = vexp<T, U>(z);
    return {u - y * z, u - y, u};
  } else {
    const V u = part<T, U>(y, vexp<T, U>(-z));
    return {z + u, one - u, u};
  }
}

}  // namespace MS_TARGET
