// Fills the tables of kernels.h for one target: included by target_*.cc after MS_TARGET and MS_TABLE are set.
#include "kernels.h"
#include "peak.h"
#include "points.h"
#include "run.h"
#include "score.h"

namespace MS_TARGET {

/// Calls `each(first point, points, first row, workspace)` with the outputs of every tile of rows, a lane group of
/// points at a time.
template <class T, class F>
void for_tiles(const Problem<T>& problem, const double* theta, manystart::Parts& parts, F each) {
  constexpr int L = LANES<T>;
  const size_t P = problem.P;
  ModelWorkspace<T> w(problem, false);
  Aligned<T> x(P * L);
  for (size_t from, to; parts.next(from, to);)
    for (size_t r0 = from; r0 < to; r0 += L) {
      const size_t used = std::min<size_t>(L, to - r0);
      lanes_from_rows(theta + r0 * P, P, used, x.get());
      for (int i = 0; i < problem.d.rows; i += w.cap()) {
        Model<T>::predict(problem, x.get(), w, i);
        each(r0, used, size_t(i), w);
      }
    }
}

/// Outputs z [R, N, C] of its part of the points, offsets included.
template <class T>
void output_points(const Problem<T>& problem, const double* theta, manystart::Parts& parts, double* z) {
  constexpr int L = LANES<T>;
  const size_t N = problem.d.rows, C = problem.d.outputs;
  for_tiles(problem, theta, parts, [&](size_t r0, size_t used, size_t i, const ModelWorkspace<T>& w) {
    for (size_t l = 0; l < used; l++)
      for (int r = 0; r < w.rows(); r++)
        for (size_t c = 0; c < C; c++) z[((r0 + l) * N + i + r) * C + c] = double(w.z()[(c * w.cap() + r) * L + l]);
  });
}

template <class T>
void score_points(const Problem<T>& problem, const double* theta, manystart::Parts& parts, double* values,
                  double* counts) {
  constexpr int L = LANES<T>;
  const int N = problem.d.rows, C = problem.d.outputs, M = score_columns(problem.d.loss);
  GroupScores<T> scores(problem);
  for_tiles(problem, theta, parts, [&](size_t r0, size_t used, size_t i, const ModelWorkspace<T>& w) {
    if (i == 0) scores.begin();
    for (int c = 0; c < C; c++) scores.add(int(i), w.rows(), c, w.z() + c * w.cap() * L);
    if (int(i) + w.rows() == N) scores.finish(used, values + r0 * M, counts);
  });
  scores.count_classes(counts);
}

/// One lane group at the points theta [L, P].
template <class T>
struct Bench {
  static constexpr int L = LANES<T>;
  static void load_points(const Problem<T>& problem, const double* theta, T* x) {
    for (int p = 0; p < problem.P; p++)
      for (int l = 0; l < L; l++) x[size_t(p) * L + l] = T(theta[size_t(l) * problem.P + p]);
  }
  static void evaluate(const Problem<T>& problem, const double* theta, bool H, int repeats, double* seconds) {
    const size_t P = problem.P;
    ModelWorkspace<T> w(problem, H);
    Aligned<T> x(P * L), f(L), g(P * L), h(H ? P * P * L : 1);
    load_points(problem, theta, x.get());
    for (int k = 0; k < repeats; k++) {
      const double t = seconds_now();
      Model<T>::evaluate(problem, x.get(), f.get(), g.get(), H ? h.get() : nullptr, w);
      seconds[k] = seconds_now() - t;
    }
  }
  static void step(const Problem<T>& problem, const Program& program, const double* theta, int repeats,
                   double* evaluate, double* update) {
    const auto segments = segments_of(program);
    State<T> state(program, segments, problem);
    ModelWorkspace<T> w(problem, program.needs_h);
    for (int l = 0; l < L; l++) state.enter(l, theta + size_t(l) * problem.P);
    for (int k = 0; k < repeats; k++) {
      const double t = seconds_now();
      Model<T>::evaluate(problem, state.vector(slot::x), state.scalar(slot::f), state.vector(slot::g),
                         program.needs_h ? state.matrix(slot::H) : nullptr, w);
      for (int l = 0; l < L; l++) state.scalar(slot::step)[l] = T(k);
      const double middle = seconds_now();
      state.step();
      evaluate[k] = middle - t;
      update[k] = seconds_now() - middle;
    }
  }
  static void eigen(const Problem<T>& problem, const double* theta, int repeats, double* seconds) {
    const int P = problem.P;
    const size_t n = size_t(P) * L;
    ModelWorkspace<T> w(problem, true);
    Aligned<T> x(n), f(L), g(n), h(n * P), one(n), values(n), vectors(n * P);
    std::fill(one.get(), one.get() + n, T(1));
    Factor<T> factor;
    factor.resize(P);
    EigenScratch<T> scratch;
    scratch.resize(P);
    load_points(problem, theta, x.get());
    Model<T>::evaluate(problem, x.get(), f.get(), g.get(), h.get(), w);
    for (int k = 0; k < repeats; k++) {
      const double t = seconds_now();
      eigh(h.get(), one.get(), P, values.get(), vectors.get(), factor, scratch);
      seconds[k] = seconds_now() - t;
    }
  }
};

template <class T>
constexpr manystart::Kernels<T> table(const char* name) {
  return {name,           LANES<T>,      evaluate_points<T>, output_points<T>, score_points<T>,    score_columns,
          class_count,    run_thread<T>, fma_peak<T>,        copy_rate,        Bench<T>::evaluate, Bench<T>::step,
          Bench<T>::eigen};
}

}  // namespace MS_TARGET

namespace manystart {
namespace MS_TABLE {
extern const Kernels<double> kernels64;
extern const Kernels<float> kernels32;
const Kernels<double> kernels64 = MS_TARGET::table<double>(MS_NAME);
const Kernels<float> kernels32 = MS_TARGET::table<float>(MS_NAME);
}  // namespace MS_TABLE
}  // namespace manystart
