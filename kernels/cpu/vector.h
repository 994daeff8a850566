// Executes an update program for one lane group. Element-wise instructions and reductions that need nothing from each
// other's results are fused: they pass together over the parameters, a chunk at a time, so that operands stay in the
// first-level cache.
#pragma once

#include "eigen.h"
#include "model.h"
#include "program.h"
#include "region.h"

namespace MS_TARGET {

using manystart::Instruction;
using manystart::Program;
namespace op = manystart::op;
namespace slot = manystart::slot;

/// A run of instructions executed together: fused vector work, scalar work, or one matrix operation.
struct Segment {
  enum Kind { vectors, scalars, matrix } kind;
  int from, to;
};

inline std::vector<Segment> segments_of(const Program& program) {
  std::vector<Segment> list;
  std::vector<char> pending(program.scalars, 0);
  for (int i = 0; i < int(program.code.size()); i++) {
    const Instruction& in = program.code[i];
    const auto kind = in.op >= op::tridiagonalize                   ? Segment::matrix
                      : in.op >= op::dot || in.op < op::scalar_base ? Segment::vectors
                                                                    : Segment::scalars;
    bool fresh = list.empty() || list.back().kind != kind || kind == Segment::matrix;
    if (kind == Segment::vectors && in.op < op::scalar_base)
      // A broadcast scalar that this segment is still summing is complete only after it.
      for (int operand : {in.a, in.b, in.c}) fresh = fresh || (operand < 0 && pending[-1 - operand]);
    if (fresh) {
      std::fill(pending.begin(), pending.end(), 0);
      list.push_back({kind, i, i});
    }
    list.back().to = i + 1;
    if (kind == Segment::vectors && in.op >= op::dot) pending[in.dst] = 1;
  }
  return list;
}

/// The slots of one lane group and the scratch that instructions need.
template <class T>
class State {
 public:
  static constexpr int L = LANES<T>;
  /// Parameters per chunk: a handful of operands of 4 KiB each.
  static constexpr int chunk = 32;

  State(const Program& program, const std::vector<Segment>& segments, const Problem<T>& problem)
      : program_(program), segments_(segments), P(problem.P), n_(size_t(problem.P) * L) {
    vectors_.resize(program.vectors);
    for (auto& v : vectors_) v.resize(n_), std::fill(v.get(), v.get() + n_, T(0));
    scalars_.resize(size_t(program.scalars) * L);
    std::fill(scalars_.get(), scalars_.get() + size_t(program.scalars) * L, T(0));
    for (int p = 0; p < P; p++) MS_LANES vectors_[slot::scale][size_t(p) * L + l] = problem.scale[p];
    for (auto& [s, value] : program.constants) MS_LANES scalars_[size_t(s) * L + l] = T(value);
    matrices_.resize(program.matrices);
    factors_.resize(program.matrices);
    if (program.needs_h) matrices_[slot::H].resize(n_ * P);
    for (const Instruction& in : program.code) {
      if (in.op == op::tridiagonalize) factors_[in.dst].resize(P), spare_.resize(P);
      if (in.op == op::eigh) matrices_[in.c].resize(n_ * P), spare_.resize(P), eigen_.resize(P);
    }
    scratch_.resize(tridiagonal_scratch<T>(P));
    sums_.resize(program.code.size() * L);
    region_.resize(P);
  }

  T* vector(int s) { return vectors_[s].get(); }
  T* scalar(int s) { return scalars_.get() + size_t(s) * L; }
  T* matrix(int s) { return matrices_[s].get(); }

  /// A run enters lane l: states take their initial values, x = θ0.
  void enter(int lane, const double* start) {
    for (auto& [s, value] : program_.initial_vectors)
      for (int p = 0; p < P; p++) vectors_[s][size_t(p) * L + lane] = T(value);
    for (auto& [s, value] : program_.initial_scalars) scalar(s)[lane] = T(value);
    for (int p = 0; p < P; p++) vectors_[slot::x][size_t(p) * L + lane] = T(start[p]);
    scalar(slot::step)[lane] = 0;
  }
  /// An empty lane holds x = 0, which every problem can evaluate.
  void leave(int lane) {
    for (int p = 0; p < P; p++) vectors_[slot::x][size_t(p) * L + lane] = 0;
  }

  void step() {
    for (const Segment& s : segments_) {
      if (s.kind == Segment::scalars)
        for (int i = s.from; i < s.to; i++) {
          Instruction in = program_.code[i];
          in.op -= op::scalar_base;
          apply(in.op, scalar(in.dst), scalar(in.a), 0, scalar(in.b), 0, scalar(in.c), 0, 1);
        }
      else if (s.kind == Segment::matrix) matrix_op(program_.code[s.from]);
      else vector_segment(s);
    }
  }

 private:
  template <class F>
  MS_INLINE void each(T* dst, const T* a, size_t sa, const T* b, size_t sb, const T* c, size_t sc, int count, F f) {
    for (int p = 0; p < count; p++, dst += L, a += sa, b += sb, c += sc)
#pragma GCC unroll 8
      for (int v = 0; v < L; v += W<T>) store(dst + v, f(load(a + v), load(b + v), load(c + v)));
  }

  /// dst[p] = op(a[p], b[p], c[p]); a stride of 0 broadcasts a scalar.
  void apply(int code, T* dst, const T* a, size_t sa, const T* b, size_t sb, const T* c, size_t sc, int count) {
    using V = Vec<T>;
    const V zero{}, one = broadcast(T(1)), largest = broadcast(std::numeric_limits<T>::max());
    switch (code) {
#define MS_CASE(name, expression)                \
  case op::name:                                 \
    return each(dst, a, sa, b, sb, c, sc, count, \
                [&]([[maybe_unused]] V x, [[maybe_unused]] V y, [[maybe_unused]] V z) { return V(expression); });
      MS_CASE(copy, x)
      MS_CASE(add, x + y)
      MS_CASE(sub, x - y)
      MS_CASE(mul, x * y)
      MS_CASE(div, x / y)
      MS_CASE(min, vmin(x, y))
      MS_CASE(max, vmax(x, y))
      MS_CASE(fma, MS_TARGET::fma(x, y, z))
      MS_CASE(select, x != zero ? y : z)
      MS_CASE(abs, vabs<T>(x))
      MS_CASE(neg, -x)
      MS_CASE(sqrt, vsqrt(x))
      MS_CASE(less, x < y ? one : zero)
      MS_CASE(less_equal, x <= y ? one : zero)
      MS_CASE(finite, vabs<T>(x) <= largest ? one : zero)
#undef MS_CASE
    }
  }

  template <class F>
  MS_INLINE void fold(T* out, const T* a, const T* b, int count, F f) {
    Vec<T> acc[VPL<T>];
#pragma GCC unroll 8
    for (int v = 0; v < VPL<T>; v++) acc[v] = load(out + v * W<T>);
    for (int p = 0; p < count; p++, a += L, b += L)
#pragma GCC unroll 8
      for (int v = 0; v < VPL<T>; v++) acc[v] = f(load(a + v * W<T>), load(b + v * W<T>), acc[v]);
#pragma GCC unroll 8
    for (int v = 0; v < VPL<T>; v++) store(out + v * W<T>, acc[v]);
  }

  /// Adds a chunk to a reduction, in order of p.
  void reduce(int code, T* out, const T* a, const T* b, int count) {
    using V = Vec<T>;
    switch (code) {
      case op::dot: return fold(out, a, b, count, [](V x, V y, V acc) { return MS_TARGET::fma(x, y, acc); });
      case op::sum: return fold(out, a, a, count, [](V x, V, V acc) { return acc + x; });
      case op::minimum: return fold(out, a, a, count, [](V x, V, V acc) { return vmin(x, acc); });
      // NaN stays: once acc is NaN no comparison with it holds.
      case op::max_abs:
        return fold(out, a, a, count, [](V x, V, V acc) {
          const V size = vabs<T>(x);
          return V(((size <= acc) | (acc != acc)) ? acc : size);
        });
    }
  }

  void vector_segment(const Segment& s) {
    // Sums gather apart and reach their slots at the end: a slot may still be read, by an instruction before its
    // reduction, in the next chunk.
    T* const sums = sums_.get();
    int reductions = 0;
    for (int i = s.from; i < s.to; i++) {
      const Instruction& in = program_.code[i];
      if (in.op < op::dot) continue;
      const T start = in.op == op::minimum ? std::numeric_limits<T>::infinity() : T(0);
      T* out = sums + size_t(reductions++) * L;
      MS_LANES out[l] = start;
    }
    for (int p = 0; p < P; p += chunk) {
      const int count = std::min(chunk, P - p);
      const size_t at = size_t(p) * L;
      reductions = 0;
      for (int i = s.from; i < s.to; i++) {
        const Instruction& in = program_.code[i];
        if (in.op >= op::dot) {
          reduce(in.op, sums + size_t(reductions++) * L, vector(in.a) + at, vector(in.b) + at, count);
          continue;
        }
        const T* operand[3];
        size_t stride[3];
        const int names[3] = {in.a, in.b, in.c};
        for (int k = 0; k < 3; k++) {
          operand[k] = names[k] < 0 ? scalar(-1 - names[k]) : vector(names[k]) + at;
          stride[k] = names[k] < 0 ? 0 : L;
        }
        apply(in.op, vector(in.dst) + at, operand[0], stride[0], operand[1], stride[1], operand[2], stride[2], count);
      }
    }
    reductions = 0;
    for (int i = s.from; i < s.to; i++) {
      const Instruction& in = program_.code[i];
      if (in.op < op::dot) continue;
      const T* from = sums + size_t(reductions++) * L;
      std::copy(from, from + L, scalar(in.dst));
    }
  }

  void matrix_op(const Instruction& in) {
    switch (in.op) {
      case op::tridiagonalize: {
        const T* mask = scalar(in.c);
        T wanted = 0;
        MS_LANES wanted += mask[l] != 0 ? T(1) : T(0);
        if (wanted == 0) return;
        tridiagonalize(matrix(in.a), vector(in.b), P, spare_, scratch_.get());
        Factor<T>& old = factors_[in.dst];
        if (wanted == T(L)) {
          std::swap(old, spare_);
          return;
        }
        for (int k = 0; k + 1 < P; k++) {
          const size_t from = (size_t(k) * P + k + 1) * L;
          masked_copy(old.v.get() + from, spare_.v.get() + from, size_t(P - k - 1) * L, mask);
        }
        masked_copy(old.d.get(), spare_.d.get(), n_, mask);
        masked_copy(old.e.get(), spare_.e.get(), n_, mask);
        masked_copy(old.tau.get(), spare_.tau.get(), n_, mask);
        return;
      }
      case op::trust_region:
        trust_region(factors_[in.a], P, vector(in.b), scalar(in.c), vector(in.dst), scalar(in.d), region_);
        return;
      case op::eigh: eigh(matrix(in.a), vector(in.b), P, vector(in.dst), matrix(in.c), spare_, eigen_); return;
      case op::multiply:
      case op::multiply_transposed: {
        const T *A = matrix(in.a), *v = vector(in.b);
        const size_t row = in.op == op::multiply ? n_ : L, column = in.op == op::multiply ? L : n_;
        T* out = scratch_.get();
        for (int i = 0; i < P; i++)
          for (int r = 0; r < L; r += W<T>) {
            Vec<T> sum{};
            for (int j = 0; j < P; j++) sum = fma(load(A + i * row + j * column + r), load(v + size_t(j) * L + r), sum);
            store(out + size_t(i) * L + r, sum);
          }
        std::copy(out, out + n_, vector(in.dst));
        return;
      }
    }
  }

  static void masked_copy(T* to, const T* from, size_t n, const T* mask) {
    for (size_t i = 0; i < n; i += L)
      for (int v = 0; v < L; v += W<T>)
        store(to + i + v, Vec<T>(load(mask + v) != Vec<T>{} ? load(from + i + v) : load(to + i + v)));
  }

  const Program& program_;
  const std::vector<Segment>& segments_;
  const int P;
  const size_t n_;
  std::vector<Aligned<T>> vectors_, matrices_;
  std::vector<Factor<T>> factors_;
  Aligned<T> scalars_, scratch_, sums_;
  Factor<T> spare_;
  RegionScratch<T> region_;
  EigenScratch<T> eigen_;
};

}  // namespace MS_TARGET
