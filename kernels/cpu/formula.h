// f, g and exact Hessian of a formula for one lane group (kernels/README.md, "Formulas"): a register program,
// interpreted for a tile of rows and all lanes at a time, so that what an instruction costs to look up is spread over
// many numbers.
#pragma once

#include <algorithm>

#include "elementary.h"
#include "formula_scratch.h"

namespace MS_TARGET {

template <class T>
class FormulaModel {
 public:
  static constexpr int L = LANES<T>;
  using S = FormulaScratch<T>;
  using V = Vec<T>;

  /// f [L]; g [P][L] and H [P·P][L] where not null. H: entries with row ≤ column only. All 64-byte aligned.
  static void evaluate(const Problem<T>& p, const T* theta, T* f, T* g, T* H, S& s) {
    s.own = nullptr;
    evaluate_all(p, theta, f, g, H, s);
  }

  /// The same where the shares of the rows differ between lanes. A lane may have a derivative that is not finite from a
  /// row that it does not have: then its rows alone are evaluated.
  static void evaluate_own(const Problem<T>& p, const T* theta, LaneRows<T> all, T* f, T* g, T* H, S& s) {
    s.own = all.own, s.times = all.times;
    evaluate_all(p, theta, f, g, H, s);
    const size_t P = p.P;
    T fault[L] = {};  // 0 where all is finite
    const auto look = [&](const T* x, size_t count) {
      for (size_t i = 0; i < count; i++)
        for (int l = 0; l < L; l++) fault[l] += x[i * L + l] * T(0);
    };
    look(f, 1);
    if (g) look(g, P);
    if (H) look(H, P * P);
    bool again = false;
    for (int l = 0; l < L; l++) again = again || (fault[l] != T(0) && all.lane_count[l] > 0);
    if (!again) return;
    s.f.resize(L), s.g.resize(P * L), s.H.resize(H ? P * P * L : 1);
    evaluate_rows(p, theta, all, s.f.get(), g ? s.g.get() : nullptr, H ? s.H.get() : nullptr, s);
    const auto take = [&](T* to, const T* from, size_t count) {
      for (size_t i = 0; i < count; i++)
        for (int l = 0; l < L; l++)
          if (fault[l] != T(0)) to[i * L + l] = from[i * L + l];
    };
    take(f, s.f.get(), 1);
    if (g) take(g, s.g.get(), P);
    if (H) take(H, s.H.get(), P * P);
  }

  /// f, g and H over rows that differ between lanes: the mean is over the weights of each lane's rows.
  static void evaluate_rows(const Problem<T>& p, const T* theta, LaneRows<T> batch, T* f, T* g, T* H, S& s) {
    begin(p, theta, f, g, H, s);
    // Without branches, of which compilers make one of ?: where which rows have a weight is not to be guessed.
    const auto chosen = [](bool first, uint32_t a, uint32_t b) {
      const uint32_t mask = 0u - uint32_t(first);
      return (a & mask) | (b & ~mask);
    };
    const auto weight = [&](int r, int l) {
      const T w = LaneRows<T>::weight(p, batch.own, batch.rows[size_t(r) * L + l], l);
      return uint32_t(r) < batch.lane_count[l] ? w : T(0);
    };
    const size_t tile_size = size_t(s.cap) * L;
    s.gathered.resize(std::max(1, p.formula->columns) * tile_size);
    for (auto* a : {&s.y, &s.c, &s.o}) a->resize(tile_size);
    T total[L] = {};
    // Stands for rows that are not there, so that these are computed without a fault of their own.
    uint32_t present[L] = {};
    for (int r = batch.count - 1; r >= 0; r--)
      for (int l = 0; l < L; l++) {
        const T w = weight(r, l);
        total[l] += w;
        present[l] = chosen(w > 0, batch.rows[size_t(r) * L + l], present[l]);
      }
    for (int l = 0; l < L; l++) total[l] = total[l] > 0 ? total[l] : T(1);
    for (int r0 = 0; r0 < batch.count; r0 += s.cap) {
      s.rows = std::min(s.cap, batch.count - r0);
      s.shared = false;
      for (int r = 0; r < s.rows; r++)
        for (int l = 0; l < L; l++) {
          const T w = weight(r0 + r, l);
          const uint32_t row = chosen(w > 0, batch.rows[size_t(r0 + r) * L + l], present[l]);
          const size_t at = size_t(r) * L + l;
          for (int k = 0; k < p.formula->columns; k++)
            s.gathered[size_t(k) * tile_size + at] = p.columns[size_t(k) * p.d.rows + row];
          s.y[at] = p.y[row], s.o[at] = p.offset[row];
          s.c[at] = w / total[l];
        }
      tile(p, 0, f, g, H, s, s.y.get(), s.c.get(), s.o.get());
    }
  }

  /// z of the rows r0 … r0 + rows − 1 of all rows, offsets included, in s.z [rows][L].
  static void predict(const Problem<T>& p, const T* theta, S& s, int r0) {
    prelude(p, theta, s, 0);
    s.shared = true;
    s.rows = std::min(s.cap, p.d.rows - r0);
    body(p, p.columns.get(), size_t(p.d.rows), r0, s, 0);
    const Reader<T> z = reader(p, p.formula->z, p.columns.get(), size_t(p.d.rows), r0, s);
    for (int r = 0; r < s.rows; r++)
      for (int v = 0; v < VPL<T>; v++)
        store(s.z.get() + size_t(r) * L + v * W<T>, Reader<T>::get(z, r, v) + p.offset[r0 + r]);
  }

 private:
  static void evaluate_all(const Problem<T>& p, const T* theta, T* f, T* g, T* H, S& s) {
    begin(p, theta, f, g, H, s);
    for (int r0 = 0; r0 < p.counted; r0 += s.cap) {
      s.shared = true;
      s.rows = std::min(s.cap, p.counted - r0);
      tile(p, r0, f, g, H, s, p.y_counted.data() + r0, p.c_counted.data() + r0, p.offset_counted.data() + r0);
    }
  }

  static void begin(const Problem<T>& p, const T* theta, T* f, T* g, T* H, S& s) {
    const size_t n = size_t(p.P) * L;
    std::fill(f, f + L, T(0));
    if (g) std::fill(g, g + n, T(0));
    if (H) std::fill(H, H + n * p.P, T(0));
    prelude(p, theta, s, H ? 2 : g ? 1 : 0);
  }

  static Reader<T> reader(const Problem<T>& p, int operand, const T* columns, size_t rows, int r0, const S& s) {
    const size_t number = operand >> 2;
    switch (operand & 3) {
      case manystart::formula::lane: return {s.lanes.get() + number * s.cap * L, size_t(L), false};
      case manystart::formula::parameter: return {s.parameters.get() + number * L, 0, false};
      case manystart::formula::row:
        if (!s.shared) return {s.gathered.get() + number * s.cap * L, size_t(L), false};
        return {columns + number * rows + r0, 1, true};
      default: return {p.constants.data() + number, 0, true};
    }
  }

  static void prelude(const Problem<T>& p, const T* theta, S& s, int stage) {
    const auto& code = p.formula->prelude;
    std::copy(theta, theta + size_t(p.P) * L, s.parameters.get());
    const int rows = s.rows;
    s.rows = 1;
    for (int i = 0; i < code.ends[stage]; i++)
      execute(p, code.code[i], s.parameters.get() + size_t(code.code[i].dst) * L, nullptr, 0, 0, s);
    s.rows = rows;
  }
  static void body(const Problem<T>& p, const T* columns, size_t rows, int r0, S& s, int stage) {
    const auto& code = p.formula->body;
    for (int i = 0; i < code.ends[stage]; i++)
      execute(p, code.code[i], s.lanes.get() + size_t(code.code[i].dst) * s.cap * L, columns, rows, r0, s);
  }

  template <bool A, bool B, class F>
  static void binary(T* out, Reader<T> a, Reader<T> b, int rows, F f) {
    for (int r = 0; r < rows; r++, out += L) {
      const T *pa = a.p + r * a.stride, *pb = b.p + r * b.stride;
#pragma GCC unroll 8
      for (int v = 0; v < VPL<T>; v++)
        store(out + v * W<T>, V(f(A ? broadcast(*pa) : load(pa + v * W<T>), B ? broadcast(*pb) : load(pb + v * W<T>))));
    }
  }
  template <class F>
  MS_INLINE void binary(T* out, const Reader<T>& a, const Reader<T>& b, int rows, F f) {
    if (!a.scalar && !b.scalar) binary<false, false>(out, a, b, rows, f);
    else if (!b.scalar) binary<true, false>(out, a, b, rows, f);
    else binary<false, true>(out, a, b, rows, f);
  }
  /// Operands of operations on one value hold one number for every lane and row.
  template <int U, class F>
  MS_INLINE int packs(T* out, const T* a, int i, int count, F f) {
    for (; i + U <= count; i += U) store(out + size_t(i) * W<T>, f(load_pack<U>(a + size_t(i) * W<T>)));
    return i;
  }
#define MS_UNARY(expression)                                                           \
  {                                                                                    \
    const int count = s.rows * VPL<T>;                                                 \
    constexpr int whole = PACK < 4 ? PACK : 4, rest = VPL<T> < whole ? VPL<T> : whole; \
    auto f = [](const auto& x) {                                                       \
      [[maybe_unused]] constexpr int U = sizeof(x.v) / sizeof(x.v[0]);                 \
      return expression;                                                               \
    };                                                                                 \
    packs<rest>(out, a.p, packs<whole>(out, a.p, 0, count, f), count, f);              \
    return;                                                                            \
  }

  template <bool A, bool B, bool C>
  static void fused(T* out, Reader<T> a, Reader<T> b, Reader<T> c, int rows) {
    for (int r = 0; r < rows; r++, out += L, a.p += a.stride, b.p += b.stride, c.p += c.stride) {
#pragma GCC unroll 8
      for (int v = 0; v < VPL<T>; v++)
        store(out + v * W<T>,
              fma(A ? broadcast(*a.p) : load(a.p + v * W<T>), B ? broadcast(*b.p) : load(b.p + v * W<T>),
                  C ? broadcast(*c.p) : load(c.p + v * W<T>)));
    }
  }
  /// out = a b + c.
  static void fused(T* out, const Reader<T>& a, const Reader<T>& b, const Reader<T>& c, int rows) {
    if (b.scalar && !a.scalar) return fused(out, b, a, c, rows);
    if (!a.scalar)
      return c.scalar ? fused<false, false, true>(out, a, b, c, rows) : fused<false, false, false>(out, a, b, c, rows);
    if (!b.scalar)
      return c.scalar ? fused<true, false, true>(out, a, b, c, rows) : fused<true, false, false>(out, a, b, c, rows);
    fused<true, true, false>(out, a, b, c, rows);
  }

  /// Powers and selections, whose operands may be of any kind.
  static void powers(T* out, const Reader<T>& a, const Reader<T>& b, int rows, int k) {
    constexpr int U = VPL<T>;
    for (int r = 0; r < rows; r++, out += L) {
      Pack<T, U> x, y;
      MS_EACH x.v[k] = Reader<T>::get(a, r, k), y.v[k] = Reader<T>::get(b, r, k);
      store(out, vpow_log<T, U>(x, y, k));
    }
  }

  static void execute(const Problem<T>& p, const manystart::formula::Instruction& in, T* out, const T* columns,
                      size_t rows, int r0, S& s) {
    namespace op = manystart::formula;
    const Reader<T> a = reader(p, in.a, columns, rows, r0, s), b = reader(p, in.b, columns, rows, r0, s);
    const V one = broadcast(T(1)), zero{};
    switch (in.op) {
      case op::add: return binary(out, a, b, s.rows, [](V x, V y) { return x + y; });
      case op::sub: return binary(out, a, b, s.rows, [](V x, V y) { return x - y; });
      case op::mul: return binary(out, a, b, s.rows, [](V x, V y) { return x * y; });
      case op::div: return binary(out, a, b, s.rows, [](V x, V y) { return x / y; });
      // A NaN stays one: comparisons with it do not hold.
      case op::min: return binary(out, a, b, s.rows, [](V x, V y) { return V(((x < y) | (x != x)) ? x : y); });
      case op::max: return binary(out, a, b, s.rows, [](V x, V y) { return V(((x > y) | (x != x)) ? x : y); });
      case op::less: return binary(out, a, b, s.rows, [=](V x, V y) { return V(x < y ? one : zero); });
      case op::less_equal: return binary(out, a, b, s.rows, [=](V x, V y) { return V(x <= y ? one : zero); });
      case op::equal: return binary(out, a, b, s.rows, [=](V x, V y) { return V(x == y ? one : zero); });
      case op::pow: return powers(out, a, b, s.rows, 0);
      case op::pow_log: return powers(out, a, b, s.rows, 1);
      case op::pow_log2: return powers(out, a, b, s.rows, 2);
      case op::fma: return fused(out, a, b, reader(p, in.c, columns, rows, r0, s), s.rows);
      case op::where: {
        const Reader<T> c = reader(p, in.c, columns, rows, r0, s);
        for (int r = 0; r < s.rows; r++)
          for (int v = 0; v < VPL<T>; v++)
            store(out + size_t(r) * L + v * W<T>,
                  V(Reader<T>::get(a, r, v) != zero ? Reader<T>::get(b, r, v) : Reader<T>::get(c, r, v)));
        return;
      }
      case op::neg: MS_UNARY(-x)
      case op::exp: MS_UNARY((vexp<T, U>(x)))
      case op::log: MS_UNARY((vlog<T, U>(x)))
      case op::sqrt: MS_UNARY(sqrt(x))
      case op::sin: MS_UNARY((vsin<T, U>(x)))
      case op::cos: MS_UNARY((vcos<T, U>(x)))
      case op::tanh: MS_UNARY((tanh_part<U>(x, false)))
      case op::sech2: MS_UNARY((tanh_part<U>(x, true)))
      case op::atan: MS_UNARY((vatan<T, U>(x)))
      case op::erf: MS_UNARY((verf<T, U>(x)))
      case op::abs: MS_UNARY(abs(x))
      case op::sign: MS_UNARY((sign_of<U>(x)))
    }
  }
#undef MS_UNARY

  template <int U>
  MS_INLINE Pack<T, U> tanh_part(const Pack<T, U>& x, bool derivative) {
    Pack<T, U> value, slope;
    vtanh<T, U>(x, value, slope);
    return derivative ? slope : value;
  }
  template <int U>
  MS_INLINE Pack<T, U> sign_of(const Pack<T, U>& x) {
    const Pack<T, U> one = T(1), zero = T(0);
    return select(x > zero, one, select(x < zero, -one, x));
  }

  static void tile(const Problem<T>& p, int r0, T* f, T* g, T* H, S& s, const T* y, const T* c, const T* o) {
    const Formula& formula = *p.formula;
    const T* columns = p.columns_counted.get();
    const size_t rows = p.counted;
    body(p, columns, rows, r0, s, H ? 2 : g ? 1 : 0);
    losses(p, reader(p, formula.z, columns, rows, r0, s), f, s, y, c, o, r0);
    if (g || H) derivatives(p, columns, rows, r0, g, H, s);
  }

  /// What row r of the tile, of which the first is r0 of those counted, weighs in each lane.
  MS_INLINE Pack<T, VPL<T>> weight_of(const Problem<T>& p, const S& s, const T* c, int r0, int r) {
    if (!s.shared) return load_pack<VPL<T>>(c + size_t(r) * L);
    return s.own ? load_pack<VPL<T>>(s.own + size_t(p.rows_counted[r0 + r]) * L) : Pack<T, VPL<T>>(c[r]);
  }

  template <Loss K>
  static void scalar_losses(const Problem<T>& p, const Reader<T>& z, T* f, S& s, const T* y, const T* c, const T* o,
                            int r0) {
    constexpr int U = VPL<T>;
    using P = Pack<T, U>;
    P sum = load_pack<U>(f);
    const P zero = T(0);
    for (int r = 0; r < s.rows; r++) {
      P at, target;
      const size_t from = size_t(r) * L;
      MS_EACH at.v[k] = Reader<T>::get(z, r, k) + (s.shared ? broadcast(o[r]) : load(o + from + k * W<T>));
      MS_EACH target.v[k] = s.shared ? broadcast(y[r]) : load(y + from + k * W<T>);
      const P weight = weight_of(p, s, c, r0, r);
      const auto t = loss_terms<T, K, U>(at, target, p.loss_constants.data());
      // Rows without weight are not there, whatever their loss.
      const auto absent = weight == zero;
      sum = sum + select(absent, zero, weight * t.value);
      store(s.delta.get() + from, select(absent, zero, weight * t.first));
      store(s.curvature.get() + from, select(absent, zero, weight * t.second));
    }
    store(f, sum);
  }

  /// The logistic loss where all rows weigh the same, or REPEATED are there a number of times: one logarithm serves
  /// many rows, as in network.h.
  template <bool REPEATED>
  static void logistic_losses(const Problem<T>& p, const Reader<T>& z, T* f, S& s, const T* y, const T* c, const T* o,
                              int r0) {
    constexpr int U = VPL<T>;
    using P = Pack<T, U>;
    const P zero = T(0);
    for (int r = 0; r < s.rows;) {
      const int end = std::min(s.rows, r + rows_together<T, REPEATED>);
      P sum = zero, odds = zero;
      for (; r < end; r++) {
        const size_t from = size_t(r) * L;
        P at;
        MS_EACH at.v[k] = Reader<T>::get(z, r, k) + broadcast(o[r]);
        const auto t = logistic_terms<T, U>(at, P(y[r]));
        P linear = t.linear, factor = t.e, first, second;
        if constexpr (REPEATED) {
          const P weight = weight_of(p, s, c, r0, r);
          const auto absent = weight == zero;
          linear = select(absent, zero, weight * t.linear);
          factor = repeated<T, U>(t.e, s.times->low + size_t(r0 + r) * L);
          first = select(absent, zero, weight * t.first), second = select(absent, zero, weight * t.up_down);
        } else {
          first = P(c[0]) * t.first, second = P(c[0]) * t.up_down;
        }
        sum = sum + linear;
        MS_EACH odds.v[k] = fma(factor.v[k], odds.v[k] + T(1), odds.v[k]);
        store(s.delta.get() + from, first);
        store(s.curvature.get() + from, second);
      }
      const P log = log_of_odds<T, U>(odds), before = load_pack<U>(f);
      if constexpr (REPEATED) store(f, before + fma(load_pack<U>(s.times->unit), log, sum));
      else store(f, before + P(c[0]) * (sum + log));
    }
    if constexpr (REPEATED)
      s.times->add_more(r0, s.rows, f, [&](int r, int l) { return z.p[r * z.stride + (z.scalar ? 0 : l)] + o[r]; });
  }

  static void losses(const Problem<T>& p, const Reader<T>& z, T* f, S& s, const T* y, const T* c, const T* o, int r0) {
    if (!p.formula->has_loss) {
      for (int r = 0; r < s.rows; r++) {
        const auto weight = weight_of(p, s, c, r0, r);
        for (int v = 0; v < VPL<T>; v++) {
          const size_t at = size_t(r) * L + v * W<T>;
          store(f + v * W<T>, load(f + v * W<T>) + weight.v[v] * Reader<T>::get(z, r, v));
          store(s.delta.get() + at, weight.v[v]);
          store(s.curvature.get() + at, V{});
        }
      }
      return;
    }
    if (p.d.loss == Loss::logistic && s.shared && p.equal_weights) {
      if (s.own) return logistic_losses<true>(p, z, f, s, y, c, o, r0);
      return logistic_losses<false>(p, z, f, s, y, c, o, r0);
    }
    switch (p.d.loss) {
#define MS_CASE(name, ...)                                                                    \
  case Loss::name:                                                                            \
    if constexpr (manystart::response_of(Loss::name) == manystart::Response::classes) return; \
    else return scalar_losses<Loss::name>(p, z, f, s, y, c, o, r0);
      MS_LOSSES(MS_CASE)
#undef MS_CASE
    }
  }

  static bool is_zero(const Problem<T>& p, int operand) {
    return (operand & 3) == manystart::formula::constant && p.constants[operand >> 2] == 0;
  }

  /// Registers of a lane group whose sums are kept at a time, and how many sums there are at most: together they fit
  /// the registers.
  static constexpr int CHUNK = VPL<T> < 2 ? VPL<T> : 2, MOST = BYTES == 64 ? 8 : 4;

  /// out[j] [L] += Σ_r w[r] d_j[r], j < J; ONE: the d are one number for all lanes.
  template <int J, bool ONE>
  static void sums(T* const* out, const T* w, const Reader<T>* d, int rows) {
    for (int v = 0; v < L; v += CHUNK * W<T>) {
      V sum[J][CHUNK];
      const T* at[J];
#pragma GCC unroll 8
      for (int j = 0; j < J; j++) {
        at[j] = d[j].p + (ONE ? 0 : v);
#pragma GCC unroll 8
        for (int k = 0; k < CHUNK; k++) sum[j][k] = load(out[j] + v + k * W<T>);
      }
      for (int r = 0; r < rows; r++, w += L) {
#pragma GCC unroll 8
        for (int j = 0; j < J; j++) {
#pragma GCC unroll 8
          for (int k = 0; k < CHUNK; k++)
            sum[j][k] = fma(load(w + v + k * W<T>), ONE ? broadcast(*at[j]) : load(at[j] + k * W<T>), sum[j][k]);
          at[j] += d[j].stride;
        }
      }
      w -= size_t(rows) * L;
#pragma GCC unroll 8
      for (int j = 0; j < J; j++)
#pragma GCC unroll 8
        for (int k = 0; k < CHUNK; k++) store(out[j] + v + k * W<T>, sum[j][k]);
    }
  }
  /// The same for any number of them.
  template <bool ONE, int J = MOST>
  static void add(T* const* out, const T* w, const Reader<T>* d, int count, int rows) {
    for (; count >= J; count -= J, out += J, d += J) sums<J, ONE>(out, w, d, rows);
    if constexpr (J > 1)
      if (count > 0) add<ONE, J / 2>(out, w, d, count, rows);
  }

  /// Adds the rows of the tile to g and H. Derivatives of z that are one number for all lanes come first: a product of
  /// two of them is one, too.
  static void derivatives(const Problem<T>& p, const T* columns, size_t rows, int r0, T* g, T* H, S& s) {
    const auto& first = p.formula->first;
    s.order.clear(), s.slopes.clear();
    int shared = 0;
    for (const bool scalar : {true, false}) {
      for (int k = 0; k < p.P; k++) {
        if (is_zero(p, first[k])) continue;
        const Reader<T> d = reader(p, first[k], columns, rows, r0, s);
        if (d.scalar == scalar) s.order.push_back(k), s.slopes.push_back(d);
      }
      if (scalar) shared = int(s.order.size());
    }
    const int all = int(s.order.size());
    if (g) {
      s.out.clear();
      for (const int k : s.order) s.out.push_back(g + size_t(k) * L);
      add<true>(s.out.data(), s.delta.get(), s.slopes.data(), shared, s.rows);
      add<false>(s.out.data() + shared, s.delta.get(), s.slopes.data() + shared, all - shared, s.rows);
    }
    if (!H) return;
    size_t pair = 0;
    for (int i = 0; i < all && p.formula->has_loss; i++) {
      const Reader<T>& d = s.slopes[i];
      s.out.clear();
      for (int j = i; j < all; j++) {
        const auto [low, high] = std::minmax(s.order[i], s.order[j]);
        s.out.push_back(H + (size_t(low) * p.P + high) * L);
      }
      // What is one number for all lanes has its products made beforehand.
      const bool paired = i < shared && s.shared && p.pairs.size() > 0;
      if (paired) {
        s.pairs.clear();
        for (int j = i; j < shared; j++, pair++) s.pairs.push_back({p.pairs.get() + pair * rows + r0, 1, true});
        add<true>(s.out.data(), s.curvature.get(), s.pairs.data(), shared - i, s.rows);
      }
      const int from = paired ? shared : i, vectors = std::max(i, shared);
      if (from == all) continue;
      binary(s.product.get(), Reader<T>{s.curvature.get(), size_t(L), false}, d, s.rows,
             [](V x, V y) { return x * y; });
      add<true>(s.out.data() + (from - i), s.product.get(), s.slopes.data() + from, vectors - from, s.rows);
      add<false>(s.out.data() + (vectors - i), s.product.get(), s.slopes.data() + vectors, all - vectors, s.rows);
    }
    for (const auto& [i, j, operand] : p.formula->second) {
      T* out = H + (size_t(i) * p.P + j) * L;
      const Reader<T> d = reader(p, operand, columns, rows, r0, s);
      if (d.scalar) sums<1, true>(&out, s.delta.get(), &d, s.rows);
      else sums<1, false>(&out, s.delta.get(), &d, s.rows);
    }
  }
};

}  // namespace MS_TARGET
