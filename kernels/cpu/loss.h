// Losses and activations (kernels/README.md; twins: src/models/losses, src/models/activations.ts): their lists, what
// scores need of them one number at a time, and, where a target is set, their terms over the rows of a tile, a lane
// group at a time.
#pragma once

#include <cmath>

// Name and response of each loss: a number with mean z, a positive one with mean e^z, a share with its probability, or
// classes; and whether terms.h has it over balls and intervals, which proofs take. The order gives the numbers by which
// TypeScript, which asks for the names, speaks of them.
#define MS_LOSSES(X)                      \
  X(squared, number, enclosed)            \
  X(logistic, share, enclosed)            \
  X(probit, share, enclosed)              \
  X(cloglog, share, enclosed)             \
  X(poisson, positive, enclosed)          \
  X(gamma, positive, enclosed)            \
  X(softmax, classes, enclosed)           \
  X(brier, share, enclosed)               \
  X(negativeBinomial, positive, enclosed) \
  X(huber, number, enclosed)              \
  X(student, number, enclosed)
#define MS_ACTIVATIONS(X) \
  X(identity, enclosed)   \
  X(tanh, enclosed)       \
  X(logistic, enclosed)   \
  X(softplus, enclosed)   \
  X(relu, enclosed)       \
  X(sin, enclosed)        \
  X(gelu, enclosed)

namespace manystart {

enum class Response { number, positive, share, classes };
#define MS_ENUM(name, ...) name,
enum class Loss { MS_LOSSES(MS_ENUM) };
enum class Activation { MS_ACTIVATIONS(MS_ENUM) };
#undef MS_ENUM

constexpr Response response_of(Loss loss) {
#define MS_CASE(name, response, ...) \
  case Loss::name: return Response::response;
  switch (loss) { MS_LOSSES(MS_CASE) }
#undef MS_CASE
  return Response::number;
}

/// Unit deviance d(y, μ) of a loss that is no share; `q`: the loss's constants.
inline double unit_deviance(Loss loss, double y, double mu, const double* q) {
  if (loss == Loss::poisson) return 2 * ((y == 0 ? 0 : y * std::log(y / mu)) - (y - mu));
  if (loss == Loss::gamma) return 2 * (-std::log(y / mu) + (y - mu) / mu);
  const double r = std::fabs(y - mu);
  if (loss == Loss::negativeBinomial)
    return 2 * ((y == 0 ? 0 : y * std::log(y / mu)) - (y + q[2]) * std::log1p((y - mu) / (mu + q[2])));
  if (loss == Loss::huber) return r <= q[0] ? r * r : q[0] * (2 * r - q[0]);
  if (loss == Loss::student) return 2 * q[0] * std::log1p(q[1] * r * r);
  return (y - mu) * (y - mu);
}

}  // namespace manystart

#ifdef MS_TARGET
# include "math.h"

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
  } else if constexpr (A == Activation::sin) {
    vsin<T, U>(u, value, first);
    second = -value;
  } else if constexpr (A == Activation::gelu) {
    const auto n = vnormal_cdf<T, U>(u);
    value = u * n.cdf;
    first = n.cdf + u * n.density;
    second = n.density * (T(2) - u * u);
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
# define MS_CASE(name, ...) \
   case Activation::name: return activate<T, Activation::name>(u, a, d1, d2, count);
  switch (kind) { MS_ACTIVATIONS(MS_CASE) }
# undef MS_CASE
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

/// The logistic loss at z with target y: ℓ = linear + log(1 + e), linear = max(z, 0) − y z without forming a
/// difference, and ℓ′.
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

/// log(1 + q), q ≥ 0, without the 1 where q is small.
template <class T, int U>
MS_INLINE Pack<T, U> log_of_odds(const Pack<T, U>& q) {
  const Pack<T, U> one = T(1);
  return select(q <= one, vlog1p_unit<T, U>(min(q, one)), vlog<T, U>(q + one));
}

/// ℓ, ℓ′ and ℓ″ at z with target y (a pack too, because mini-batches differ between lanes); `q`: the loss's constants.
template <class T, Loss K, int U>
MS_INLINE Terms<T, U> loss_terms(const Pack<T, U>& z, const Pack<T, U>& y, [[maybe_unused]] const T* q) {
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
  } else if constexpr (K == Loss::negativeBinomial) {
    // With w = z + log α: (y + 1/α) log(1 + e^w) − y z, without a difference of large numbers.
    const V w = z + q[1], size = y + q[2];
    const auto s = vsigmoid<T, U>(w);
    const V linear = select(w > zero, q[2] * w + y * q[1], -(y * z));
    return {keep_nan(linear + size * vlog1p_unit<T, U>(s.e)), q[2] * s.up - y * s.down, size * s.up * s.down};
  } else if constexpr (K == Loss::huber) {
    const V r = z - y, size = abs(r);
    const V edge = select(r < zero, V(-q[0]), V(q[0]));
    const auto near = size <= V(q[0]);
    return {keep_nan(select(near, T(0.5) * r * r, q[0] * (size - T(0.5) * q[0]))), keep_nan(select(near, r, edge)),
            keep_nan(select(near, one, zero))};
  } else if constexpr (K == Loss::student) {
    const V r = z - y, t = q[1] * r * r;
    const V down = one / (one + t);
    const V log = select(t <= one, vlog1p_unit<T, U>(min(t, one)), vlog<T, U>(one + t));
    return {keep_nan(q[0] * log), q[2] * r * down, q[2] * (one - t) * (down * down)};
  } else {
    const V u = part<T, U>(y, vexp<T, U>(-z));
    return {z + u, one - u, u};
  }
}

}  // namespace MS_TARGET
#endif  // MS_TARGET
