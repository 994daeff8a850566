// Tests of what is compiled once for each instruction set, called directly: elementary functions against the C library
// in long double, products and transpositions against loops over whole numbers, which are exact.
#pragma once

#include <algorithm>
#include <iterator>
#include <vector>

#include "../elementary.h"
#include "../gemm.h"
#include "../points.h"
#include "../resample.h"
#include "check.h"

namespace MS_TARGET {

using manystart::Aligned;

template <class T>
std::string named(const char* what) {
  return std::string(what) + (sizeof(T) == 8 ? " f64" : " f32");
}

/// f over a grid of [low, high] in packs of U registers, with a NaN put into one lane of each.
template <class T, int U, class F>
std::vector<T> over(const std::vector<T>& xs, F f) {
  constexpr int n = U * W<T>;
  Aligned<T> in(n);
  std::vector<T> out;
  for (size_t i = 0; i < xs.size(); i += n) {
    for (int l = 0; l < n; l++) in[l] = i + l < xs.size() ? xs[i + l] : std::numeric_limits<T>::quiet_NaN();
    store(in.get(), f(load_pack<U>(in.get())));
    for (int l = 0; l < n && i + l < xs.size(); l++) out.push_back(in[l]);
  }
  return out;
}

/// `f` within `ulps` · eps of `exact` on [low, high], relative to it, or within `times` |x| · eps where that is more:
/// what rounding x does to e^(times x). The same bits in packs of any width; NaN for NaN. Below the smallest normal
/// number anything up to that will do.
template <class T, class F, class Exact>
void test_function(Checks& checks, const char* name, T low, T high, double ulps, F f, Exact exact, double times = 0) {
  Draws draws(7);
  std::vector<T> xs{low, high, std::numeric_limits<T>::quiet_NaN()};
  // Neither a power of two nor a multiple of any register's width.
  for (int i = 0; i < 1009; i++) xs.push_back(T(draws.uniform(low, high)));
  for (int i = 0; i < 101; i++) {
    const T small = T(draws.uniform(-1, 1) * std::pow(2.0, -draws.whole(1, 40)));
    if (small >= low && small <= high) xs.push_back(small);
  }
  const auto one = over<T, 1>(xs, [&](const Pack<T, 1>& x) { return f(x); });
  const auto two = over<T, 2>(xs, [&](const Pack<T, 2>& x) { return f(x); });
  const auto many = over<T, PACK>(xs, [&](const Pack<T, PACK>& x) { return f(x); });
  for (size_t i = 0; i < xs.size(); i++) {
    const std::string what = named<T>(name) + " of " + std::to_string(xs[i]);
    if (xs[i] != xs[i]) {
      checks.that(one[i] != one[i] && two[i] != two[i] && many[i] != many[i], what);
      continue;
    }
    const long double want = exact((long double)xs[i]);
    const long double bound =
        std::max(ulps, times * std::fabs(xs[i])) * std::numeric_limits<T>::epsilon() * std::fabs(want) +
        std::numeric_limits<T>::min();
    checks.near(one[i], want, bound, what);
    checks.that(std::memcmp(&one[i], &two[i], sizeof(T)) == 0 && std::memcmp(&one[i], &many[i], sizeof(T)) == 0,
                what + " in packs of any width");
  }
}

template <class T, int U>
struct Tanh {
  Pack<T, U> value, slope;
};
template <class T, int U>
Tanh<T, U> tanh_of(const Pack<T, U>& x) {
  Tanh<T, U> t;
  vtanh<T, U>(x, t.value, t.slope);
  return t;
}

template <class T>
void test_functions(Checks& checks) {
  using std::exp, std::log, std::log1p;
  const T largest = sizeof(T) == 8 ? T(700) : T(85), normal = std::numeric_limits<T>::min();
#define MS_OF(call)                               \
  [](const auto& x) {                             \
    using P = std::decay_t<decltype(x)>;          \
    constexpr int U = sizeof(P) / sizeof(Vec<T>); \
    return call;                                  \
  }
  test_function<T>(checks, "exp", -largest, largest, 2, MS_OF((vexp<T, U>(x))), [](long double x) { return exp(x); });
  test_function<T>(checks, "exp below 0", -largest, 0, 2, MS_OF((vexp_negative<T, U>(x))),
                   [](long double x) { return exp(x); });
  test_function<T>(checks, "log", normal, 1000, 4, MS_OF((vlog<T, U>(x))), [](long double x) { return log(x); });
  test_function<T>(checks, "log1p", 0, 1, 4, MS_OF((vlog1p_unit<T, U>(x))), [](long double x) { return log1p(x); });
  test_function<T>(checks, "logistic", -largest, largest, 4, MS_OF((vsigmoid<T, U>(x).up)),
                   [](long double x) { return 1 / (1 + exp(-x)); });
  test_function<T>(checks, "1 - logistic", -largest, largest, 4, MS_OF((vsigmoid<T, U>(x).down)),
                   [](long double x) { return 1 / (1 + exp(x)); });
  test_function<T>(checks, "tanh", -30, 30, 4, MS_OF((tanh_of<T, U>(x).value)),
                   [](long double x) { return std::tanh(x); });
  test_function<T>(
      checks, "tanh'", -30, 30, 6, MS_OF((tanh_of<T, U>(x).slope)),
      [](long double x) { return 1 / (std::cosh(x) * std::cosh(x)); }, 2);
  test_function<T>(checks, "atan", -1000, 1000, 4, MS_OF((vatan<T, U>(x))), [](long double x) { return std::atan(x); });
  test_function<T>(checks, "erf", -6, 6, 6, MS_OF((verf<T, U>(x))), [](long double x) { return std::erf(x); });
#undef MS_OF
}

/// Σ_k b(k, n) q(k) for every number of columns and terms around the width of a block, over whole numbers.
template <class T>
void test_products(Checks& checks) {
  constexpr int L = LANES<T>, most = 2 * NB_MAX + 3, terms = 7;
  Draws draws(11);
  Aligned<T> shared(most * terms + 16), lanes(most * terms * L), q(terms * L), out(most * L);
  for (int i = 0; i < most * terms; i++) shared[i] = T(draws.whole(-8, 8));
  for (int i = 0; i < most * terms * L; i++) lanes[i] = T(draws.whole(-8, 8));
  for (int i = 0; i < terms * L; i++) q[i] = T(draws.whole(-8, 8));
  for (int M = 1; M <= most; M++)
    for (int K = 0; K <= terms; K++)
      for (const Into into : {Into::set, Into::add, Into::scale})
        for (const bool own : {false, true}) {
          for (int i = 0; i < most * L; i++) out[i] = T(i % 5 - 2);
          if (own) product(PerLane<T>{lanes.get(), most, 1}, M, stored(q.get(), 1), K, out.get(), 1, into);
          else product(Shared<T>{shared.get(), most, 1}, M, stored(q.get(), 1), K, out.get(), 1, into);
          bool holds = true;
          for (int i = 0; i < most * L; i++) {
            const int n = i / L, l = i % L, before = i % 5 - 2;
            int sum = 0;
            for (int k = 0; k < K; k++)
              sum += int(own ? lanes[(k * most + n) * L + l] : shared[k * most + n]) * int(q[k * L + l]);
            const int after = into == Into::set ? sum : into == Into::add ? before + sum : before * sum;
            // What lies behind the last column is not touched.
            holds = holds && out[i] == T(n < M ? after : before);
          }
          checks.that(holds,
                      named<T>("product") + " of " + std::to_string(M) + " columns, " + std::to_string(K) + " terms");
        }
}

/// Lanes whose byte has a bit, for every byte at every place.
template <class T>
void test_kept(Checks& checks) {
  uint8_t bytes[W<T>];
  for (int byte = 0; byte < 8; byte++)
    for (int place = 0; place < W<T>; place++)
      for (const int bit : {1, 2, 4}) {
        for (int l = 0; l < W<T>; l++) bytes[l] = uint8_t(l == place ? byte : (byte + l) % 8);
        const Vec<T> kept = keep<T>(bytes, uint8_t(bit), broadcast(T(3)));
        bool holds = true;
        for (int l = 0; l < W<T>; l++) holds = holds && kept[l] == T((bytes[l] & bit) != 0 ? 3 : 0);
        checks.that(holds, named<T>("lanes with bit ") + std::to_string(bit));
      }
}

/// Rows to lanes and back, for every size around a register's width and every kind of remainder.
template <class T>
void test_transpositions(Checks& checks) {
  constexpr int L = LANES<T>, most = 2 * W<double> + 35;
  for (int n = 1; n <= most; n++)
    for (const int used : {1, 2, W<double>, W<double> + 1, L - 1, L}) {
      const std::string what = std::to_string(n) + " numbers of " + std::to_string(used) + " lanes";
      std::vector<double> rows(size_t(used) * n), back(size_t(used) * n + 1, -1.0);
      for (size_t i = 0; i < rows.size(); i++) rows[i] = double(i % 8191 + 1);
      Aligned<T> lanes(size_t(n) * L);
      lanes_from_rows(rows.data(), n, used, lanes.get());
      bool holds = true;
      for (int i = 0; i < n * L; i++)
        holds = holds && lanes[i] == T(i % L < used ? rows[size_t(i % L) * n + i / L] : 0);
      checks.that(holds, named<T>("lanes from ") + what);
      rows_from_lanes(lanes.get(), n, used, back.data());
      checks.that(std::equal(rows.begin(), rows.end(), back.begin()) && back.back() == -1,
                  named<T>("rows from ") + what);
    }
  for (int P = 1; P <= most; P++)
    for (const int used : {1, W<double> + 1, L}) {
      const size_t size = size_t(P) * P;
      Aligned<T> H(size * L);
      std::vector<double> out(size * used + 1, -1.0);
      // Entries below the diagonal are not formed: they must not be seen.
      for (int p = 0; p < P; p++)
        for (int k = 0; k < P; k++)
          for (int l = 0; l < L; l++)
            H[(size_t(p) * P + k) * L + l] =
                p <= k ? T((p * 131 + k * 17 + l) % 8191) : std::numeric_limits<T>::quiet_NaN();
      symmetric_from_lanes(H.get(), upper_places(P), used, out.data());
      bool holds = out.back() == -1;
      for (int l = 0; l < used; l++)
        for (int p = 0; p < P; p++)
          for (int k = 0; k < P; k++)
            holds =
                holds && out[size * l + size_t(p) * P + k] == (std::min(p, k) * 131 + std::max(p, k) * 17 + l) % 8191;
      checks.that(holds, named<T>("symmetric matrix") + " of order " + std::to_string(P) + " of " +
                             std::to_string(used) + " lanes");
    }
}

/// Resamples by counter: word by word, for numbers of rows around what is drawn together.
inline void test_resamples(Checks& checks) {
  using Kind = Resampling::Kind;
  const uint64_t far = (uint64_t(1) << 52) + 5;
  for (const Kind kind : {Kind::bootstrap, Kind::poisson})
    for (const uint32_t n : {1u, 4u, 4 * together - 1, 4 * together, 4 * together + 1, 12 * together + 7})
      for (const uint64_t number : {uint64_t(0), uint64_t(1), far}) {
        Resampling how;
        how.kind = kind, how.seed = 77;
        std::vector<uint32_t> got(n), order(n), want(n);
        uint64_t ordered = ~uint64_t(0);
        row_counts(how, double(number), n, got.data(), order.data(), ordered);
        for (uint32_t i = 0; i < n; i++) {
          uint32_t word[4];
          Philox(how.seed).block(i / 4, number, manystart::stream_rows, word);
          const uint32_t w = word[i % 4];
          if (kind == Kind::bootstrap) want[uint64_t(w) * n >> 32]++;
          else
            while (want[i] < std::size(poisson_words) && w >= poisson_words[want[i]]) want[i]++;
        }
        checks.that(got == want, "resample " + std::to_string(number) + " of " + std::to_string(n) + " rows");
      }
}

void test_lanes(Checks& checks) {
  test_functions<double>(checks), test_functions<float>(checks);
  test_products<double>(checks), test_products<float>(checks);
  test_kept<double>(checks), test_kept<float>(checks);
  test_transpositions<double>(checks), test_transpositions<float>(checks);
  test_resamples(checks);
}

}  // namespace MS_TARGET
