// Tests of the kernels without Node: for each instruction set that this processor has, the parts of lanes.h, then
// losses, gradients and Hessians of whole models against the oracle, for numbers of rows, units, columns and runs
// around the widths of registers, tiles and lane groups, and beside runs that are not numbers.
#include <cstring>
#include <limits>
#include <vector>

#include "../instruction_sets.h"
#include "check.h"
#include "oracle.h"

using namespace manystart;

namespace {

struct Model {
  std::vector<int> hidden;
  Activation activation;
  Loss loss;
  int inputs, outputs;
  bool bias;
};
const Model models[] = {{{}, Activation::identity, Loss::logistic, 1, 1, true},
                        {{}, Activation::identity, Loss::squared, 13, 1, false},
                        {{}, Activation::identity, Loss::poisson, 3, 1, true},
                        {{}, Activation::identity, Loss::gamma, 7, 1, true},
                        {{}, Activation::identity, Loss::softmax, 2, 3, true},
                        {{}, Activation::identity, Loss::brier, 5, 1, true},
                        {{1}, Activation::tanh, Loss::logistic, 1, 1, true},
                        {{3}, Activation::tanh, Loss::squared, 4, 1, true},
                        {{5}, Activation::logistic, Loss::logistic, 13, 1, true},
                        {{7}, Activation::softplus, Loss::squared, 24, 1, false},
                        {{2}, Activation::sin, Loss::brier, 6, 1, true},
                        {{4}, Activation::tanh, Loss::squared, 3, 2, true},
                        {{3}, Activation::tanh, Loss::softmax, 4, 3, true},
                        {{4, 3}, Activation::tanh, Loss::logistic, 2, 1, true},
                        {{3, 2, 3}, Activation::softplus, Loss::squared, 3, 2, true}};
/// Around the rows of a tile: 16 to 128 with a Hessian, 48 without.
const int rows_tried[] = {1, 3, 16, 17, 47, 49, 129};

struct Data {
  std::vector<double> x, y, weight, offset;
};
Data draw(const Model& m, int rows, bool equal, Draws& draws) {
  Data data;
  for (int i = 0; i < rows * m.inputs; i++) data.x.push_back(draws.uniform(-1, 1));
  const int targets = m.loss == Loss::softmax ? 1 : m.outputs;
  for (int i = 0; i < rows * targets; i++)
    data.y.push_back(m.loss == Loss::softmax                             ? draws.whole(0, m.outputs - 1)
                     : m.loss == Loss::logistic || m.loss == Loss::brier ? draws.whole(0, 1)
                     : m.loss == Loss::poisson                           ? draws.whole(0, 4)
                                                                         : draws.uniform(0.5, 2));
  for (int i = 0; i < rows; i++) {
    data.weight.push_back(equal ? 1 : i == 0 ? 1 : draws.whole(0, 3));
    data.offset.push_back(equal ? 0 : draws.uniform(-0.5, 0.5));
  }
  return data;
}

template <class T>
void evaluate_all(const Kernels<T>& kernels, const Problem<T>& problem, const double* theta, size_t R, double* f,
                  double* g, double* H) {
  Parts parts(R, kernels.lanes);
  kernels.evaluate(problem, theta, parts, f, g, H);
}

template <class T>
void test_model(Checks& checks, const Kernels<T>& kernels, const Model& m, int rows, bool equal) {
  Draws draws(uint64_t(rows) * 2 + equal);
  const Data data = draw(m, rows, equal, draws);
  Description d;
  d.rows = rows, d.inputs = m.inputs, d.outputs = m.outputs, d.hidden = m.hidden;
  d.activation = m.activation, d.loss = m.loss, d.bias = m.bias;
  int P = 0, below = m.inputs, depth = 1;
  for (int units : m.hidden) P += units * (below + m.bias), below = units, depth++;
  P += m.outputs * (below + m.bias);
  for (int p = 0; p < P; p++) d.penalty.push_back(equal ? 0 : 0.125 * (p % 3));
  // Numbers that both precisions hold, so that only the computation differs.
  Data held = data;
  for (auto* list : {&held.x, &held.y, &held.offset})
    for (double& v : *list) v = T(v);
  const Problem<T> problem(d, held.x.data(), held.y.data(), held.weight.data(), held.offset.data());

  const int L = kernels.lanes, R = 2 * L + 1;
  std::vector<double> theta(size_t(R) * P);
  for (double& v : theta) v = T(draws.uniform(-1, 1));
  std::vector<double> f(R), g(theta.size()), H(theta.size() * P);
  evaluate_all(kernels, problem, theta.data(), R, f.data(), g.data(), H.data());

  const std::string what = std::string(kernels.name) + (sizeof(T) == 8 ? " f64 " : " f32 ") + std::to_string(m.inputs) +
                           "-" + std::to_string(m.hidden.size()) + " hidden-" + std::to_string(m.outputs) + ", loss " +
                           std::to_string(int(m.loss)) + ", " + std::to_string(rows) + " rows";
  // The first and the last run of each lane group, along two directions of entries ±1 and 0.
  for (const int r : {0, L - 1, L, 2 * L}) {
    std::vector<Hyper> at(P);
    std::vector<int> a(P), b(P);
    for (int p = 0; p < P; p++) {
      a[p] = draws.whole(-1, 1), b[p] = draws.whole(-1, 1);
      at[p] = Hyper(theta[size_t(r) * P + p], a[p], b[p]);
    }
    const Hyper want = objective(d, held.x.data(), held.y.data(), held.weight.data(), held.offset.data(), at);
    long double slope = 0, curve = 0, slopes = 0, curves = 0;
    for (int p = 0; p < P; p++) {
      slope += (long double)a[p] * g[size_t(r) * P + p], slopes += std::fabs(g[size_t(r) * P + p]);
      for (int k = 0; k < P; k++) {
        const double h = H[(size_t(r) * P + p) * P + k];
        curve += (long double)a[p] * b[k] * h, curves += std::fabs(h);
      }
    }
    // Each row's terms pass through `depth` sums of up to 25 terms of size up to 1; rows are summed one after the
    // other.
    const long double unit = std::numeric_limits<T>::epsilon() * (25.0L * depth + rows);
    checks.near(f[r], want.v, unit * (1 + std::fabs(want.v)), what + ": f");
    checks.near(slope, want.a, unit * (1 + slopes), what + ": g");
    checks.near(curve, want.ab, unit * (1 + curves), what + ": H");
  }

  // A run is the same alone, and beside runs that are not numbers.
  std::vector<double> beside = theta, fb(R), gb(g.size()), Hb(H.size());
  for (int r = 0; r < R; r += 3)
    for (int p = 0; p < P; p++)
      beside[size_t(r) * P + p] =
          r % 2 ? std::numeric_limits<double>::infinity() : std::numeric_limits<double>::quiet_NaN();
  evaluate_all(kernels, problem, beside.data(), R, fb.data(), gb.data(), Hb.data());
  bool same = true, lost = true;
  for (int r = 0; r < R; r++) {
    const size_t at = size_t(r) * P;
    if (r % 3 == 0) lost = lost && (r % 2 == 1 || fb[r] != fb[r]);
    else
      same = same && f[r] == fb[r] && !std::memcmp(&g[at], &gb[at], P * sizeof(double)) &&
             !std::memcmp(&H[at * P], &Hb[at * P], size_t(P) * P * sizeof(double));
  }
  checks.that(same, what + ": runs beside others that are not numbers");
  checks.that(lost, what + ": f of a run that is not a number");
  const size_t last = size_t(R - 1) * P;
  evaluate_all(kernels, problem, &theta[last], 1, fb.data(), gb.data(), Hb.data());
  checks.that(fb[0] == f[R - 1] && !std::memcmp(gb.data(), &g[last], P * sizeof(double)) &&
                  !std::memcmp(Hb.data(), &H[last * P], size_t(P) * P * sizeof(double)),
              what + ": a run alone");
}

void test_lanes_of([[maybe_unused]] const std::string& id, Checks& checks) {
#if defined(__x86_64__)
  if (id == "avx512") return ms_avx512::test_lanes(checks);
  if (id == "avx2") return ms_avx2::test_lanes(checks);
#endif
  ms_base::test_lanes(checks);
}

}  // namespace

int main() {
  int failed = 0;
  for (const Target& target : targets()) {
    if (!target.usable) {
      std::printf("%s: not on this processor\n", target.id);
      continue;
    }
    Checks checks;
    test_lanes_of(target.id, checks);
    for (const Model& m : models)
      for (const int rows : rows_tried)
        for (const bool equal : {true, false}) {
          test_model(checks, *target.k64, m, rows, equal);
          test_model(checks, *target.k32, m, rows, equal);
        }
    std::printf("%s (%s): %d hold, %d do not\n", target.id, target.k64->name, checks.held, checks.failed);
    failed += checks.failed;
  }
  return failed > 0;
}
