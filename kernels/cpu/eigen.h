// Eigenvalues and eigenvectors of a symmetric matrix of every lane: tridiagonal form, then implicit QL (Golub and Van
// Loan, section 8.3) with all lanes of a register in step. Each lane has its own block and shift; outside its block it
// rotates by nothing.
#pragma once

#include <vector>

#include "tridiagonal.h"

namespace MS_TARGET {

/// Work arrays of `eigh`.
template <class T>
struct EigenScratch {
  Aligned<T> reduce, e, c, s, row;
  std::vector<int> order;
  void resize(int P) {
    reduce.resize(tridiagonal_scratch<T>(P));
    for (auto* a : {&e, &c, &s}) a->resize(size_t(P) * W<T>);
    row.resize(size_t(P) * LANES<T>);
    order.resize(size_t(P) * W<T>);
  }
};

/// One register of lanes: d [P] and V [P·P] with elements L numbers apart, e, c and s [P][W].
template <class T>
class Eigen {
  static constexpr int L = LANES<T>;
  using V = Vec<T>;
  using Scalar = typename VecOf<T>::scalar_int;
  /// Rows of V that rotate together.
#if defined(__AVX512F__) || defined(__aarch64__)
  static constexpr int together = 8;
#else
  static constexpr int together = 4;
#endif

 public:
  Eigen(const Factor<T>& t, int P, size_t offset, T* values, T* vectors, EigenScratch<T>& w)
      : t(t), P(P), offset(offset), d(values + offset), vectors(vectors + offset), e(w.e.get()), c(w.c.get()),
        s(w.s.get()), w(w) {}

  void run() {
    const V zero{}, one = broadcast(T(1)), largest = broadcast(std::numeric_limits<T>::max());
    V norm{};
    auto finite = zero == zero;
    for (int i = 0; i < P; i++) {
      const V di = vabs<T>(load(t.d.get() + offset + size_t(i) * L)),
              ei = vabs<T>(load(t.e.get() + offset + size_t(i) * L));
      finite &= (di <= largest) & (ei <= largest);
      norm = vmax(vmax(di, ei), norm);
    }
    // A power of two brings the matrix to about 1, so that squares neither overflow nor vanish.
    constexpr int mantissa = sizeof(T) == 8 ? 52 : 23;
    constexpr Scalar bias = sizeof(T) == 8 ? 1023 : 127;
    const Int<T> field = (Int<T>)norm >> mantissa;
    Int<T> inverse = 2 * bias - field;
    inverse = inverse < 1 ? Int<T>{} + 1 : inverse;
    inverse = (field < 1) | ~finite ? Int<T>{} + bias : inverse;
    const V down = (V)(inverse << mantissa), up = one / down;
    for (int i = 0; i < P; i++) {
      put(d, i, V(finite ? load(t.d.get() + offset + size_t(i) * L) * down : zero));
      store(e + i * W<T>, V(finite ? load(t.e.get() + offset + size_t(i) * L) * down : zero));
    }
    form_q();
    // A block takes less than two rounds for each eigenvalue; the bound only holds up what cannot be.
    for (int round = 0; round < 60 * P && step(); round++) {}
    const V nan = broadcast(std::numeric_limits<T>::quiet_NaN());
    for (int i = 0; i < P; i++) put(d, i, V(finite ? element(d, i) * up : nan));
    sort(finite, nan);
  }

 private:
  static MS_MEMBER V element(const T* a, int i) { return load(a + size_t(i) * L); }
  static MS_MEMBER void put(T* a, int i, V value) { store(a + size_t(i) * L, value); }
  T* row(int k) const { return vectors + size_t(k) * P * L; }

  /// Q, by the reflectors from the last to the first; row and column k + 1 join when reflector k acts on them.
  void form_q() {
    const V zero{}, one = broadcast(T(1));
    put(row(P - 1), P - 1, one);
    for (int k = P - 2; k >= 0; k--) {
      const T* v = t.v.get() + offset + size_t(k) * P * L;
      const V tau = load(t.tau.get() + offset + size_t(k) * L);
      for (int i = k + 2; i < P; i++) put(row(k + 1), i, zero), put(row(i), k + 1, zero);
      put(row(k + 1), k + 1, one);
      T* const sums = w.row.get();
      for (int i = k + 1; i < P; i++) put(sums, i, zero);
      int j = k + 1;
      for (; j + 4 <= P; j += 4) add_rows<4>(j, k + 1, v, sums);
      for (; j < P; j++) add_rows<1>(j, k + 1, v, sums);
      for (j = k + 1; j < P; j++) {
        const V factor = -tau * element(v, j);
        for (int i = k + 1; i < P; i++) put(row(j), i, fma(factor, element(sums, i), element(row(j), i)));
      }
    }
    for (int i = 1; i < P; i++) put(row(0), i, zero), put(row(i), 0, zero);
    put(row(0), 0, one);
  }

  /// sums[i] += Σ v[j] Q[j][i] over R rows from j on, i ≥ from.
  template <int R>
  MS_MEMBER void add_rows(int j, int from, const T* v, T* sums) {
    for (int i = from; i < P; i++) {
      V sum = element(sums, i);
#pragma GCC unroll 4
      for (int a = 0; a < R; a++) sum = fma(element(v, j + a), element(row(j + a), i), sum);
      put(sums, i, sum);
    }
  }

  /// One QL sweep over the first block of every lane that has one left; false when none has.
  bool step() {
    const V zero{}, one = broadcast(T(1)), end = broadcast(T(P - 1));
    const V tiny = broadcast(std::numeric_limits<T>::epsilon() / 2);
    // The first block that is not diagonal runs from `first` to `last`, where the next off-diagonal element is
    // negligible.
    V first = end, last = end, here = end, d_first{}, d_second{}, e_first = one, d_last{}, d_here = element(d, P - 1);
    for (int i = P - 2; i >= 0; i--) {
      const V di = element(d, i), next = element(d, i + 1), ei = load(e + i * W<T>);
      const auto small = vabs<T>(ei) <= tiny * (vabs<T>(di) + vabs<T>(next));
      const V index = broadcast(T(i));
      here = small ? index : here;
      d_here = small ? di : d_here;
      first = small ? first : index;
      last = small ? last : here;
      d_first = small ? d_first : di;
      d_second = small ? d_second : next;
      e_first = small ? e_first : ei;
      d_last = small ? d_last : d_here;
    }
    const auto active = first < end;
    if (!any_lane<T>(active)) return false;
    int from = P - 1, to = 0;
    for (int l = 0; l < W<T>; l++)
      if (active[l]) from = std::min(from, int(first[l])), to = std::max(to, int(last[l]));
    // Wilkinson's shift.
    V g = (d_second - d_first) / (e_first + e_first);
    const V root = vsqrt(fma(g, g, one));
    const V shifted = d_last - d_first + e_first / (g + (g < zero ? -root : root));
    V sine{}, cosine{}, p{};
    auto broken = zero != zero;
    for (int i = to - 1; i >= from; i--) {
      const V index = broadcast(T(i));
      const auto on = active & (index >= first) & (index < last) & ~broken;
      const auto start = index == last - one;
      sine = start ? one : sine, cosine = start ? one : cosine, p = start ? zero : p, g = start ? shifted : g;
      const V ei = load(e + i * W<T>), di = element(d, i), next = element(d, i + 1);
      const V f = sine * ei, b = cosine * ei;
      const V r = vsqrt(fma(f, f, g * g));
      // Nothing left to rotate: the block falls apart here.
      const auto split = on & (r == zero);
      const auto rotate = on & ~split;
      store(e + (i + 1) * W<T>, V(on ? (start ? zero : r) : load(e + (i + 1) * W<T>)));
      const V inverse = one / r;
      const V sn = f * inverse, cs = g * inverse;
      const V reduced = next - p;
      const V twist = fma(di - reduced, sn, T(2) * cs * b);
      const V shift = sn * twist;
      const V after = fma(cs, twist, -b);
      const auto bottom = rotate & (index == first);
      put(d, i + 1, V(rotate ? reduced + shift : split ? reduced : next));
      put(d, i, V(bottom ? di - shift : di));
      store(e + i * W<T>, V(bottom ? after : ei));
      store(c + i * W<T>, V(rotate ? cs : one));
      store(s + i * W<T>, V(rotate ? sn : zero));
      sine = rotate ? sn : sine, cosine = rotate ? cs : cosine, p = rotate ? shift : p, g = rotate ? after : g;
      broken |= split;
    }
    int k = 0;
    for (; k + together <= P; k += together) rotate_rows<together>(k, from, to);
    for (; k < P; k++) rotate_rows<1>(k, from, to);
    return true;
  }

  /// The sweep's rotations of columns i and i + 1, i = to − 1 … from, on R rows.
  template <int R>
  MS_MEMBER void rotate_rows(int k, int from, int to) {
    V x[R];
    T* at[R];
#pragma GCC unroll 8
    for (int a = 0; a < R; a++) at[a] = row(k + a), x[a] = element(at[a], to);
    for (int i = to - 1; i >= from; i--) {
      const V sine = load(s + i * W<T>), cosine = load(c + i * W<T>);
#pragma GCC unroll 8
      for (int a = 0; a < R; a++) {
        const V y = element(at[a], i);
        put(at[a], i + 1, fma(sine, y, cosine * x[a]));
        x[a] = fma(cosine, y, -(sine * x[a]));
      }
    }
#pragma GCC unroll 8
    for (int a = 0; a < R; a++) put(at[a], from, x[a]);
  }

  /// Ascending order, the vectors with their values.
  void sort(Int<T> finite, V nan) {
    int* const order = w.order.data();
    T* const copy = w.row.get();
    for (int l = 0; l < W<T>; l++) {
      int* const mine = order + l * P;
      for (int i = 0; i < P; i++) mine[i] = i;
      if (!finite[l]) continue;
      const auto value = [&](int i) { return d[size_t(i) * L + l]; };
      std::sort(mine, mine + P, [&](int x, int y) { return value(x) < value(y) || (value(x) == value(y) && x < y); });
    }
    const auto permute = [&](T* a) {
      for (int i = 0; i < P; i++) store(copy + i * W<T>, element(a, i));
      for (int l = 0; l < W<T>; l++)
        for (int i = 0; i < P; i++) a[size_t(i) * L + l] = copy[order[l * P + i] * W<T> + l];
    };
    permute(d);
    for (int k = 0; k < P; k++) {
      permute(row(k));
      if (any_lane<T>(~finite))
        for (int i = 0; i < P; i++) put(row(k), i, V(finite ? element(row(k), i) : nan));
    }
  }

  const Factor<T>& t;
  const int P;
  const size_t offset;
  T *d, *vectors, *e, *c, *s;
  EigenScratch<T>& w;
};

/// Eigenvalues (ascending, [P][L]) and eigenvectors (columns of V [P·P][L]) of diag(scale) A diag(scale).
template <class T>
void eigh(const T* A, const T* scale, int P, T* values, T* V, Factor<T>& t, EigenScratch<T>& w) {
  tridiagonalize(A, scale, P, t, w.reduce.get());
  for (int v = 0; v < LANES<T>; v += W<T>) Eigen<T>(t, P, v, values, V, w).run();
}

}  // namespace MS_TARGET
