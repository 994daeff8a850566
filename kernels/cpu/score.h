// Prediction scores of the runs of a lane group; the twin of src/models/scores.ts.
#pragma once

#include "math.h"
#include "model.h"

namespace MS_TARGET {

using manystart::Response;
using manystart::response_of;

inline int score_columns(Loss loss) {
  const Response response = response_of(loss);
  return response == Response::classes ? 2 : response == Response::share ? 5 : 3;
}
inline int class_count(Loss loss, int outputs) {
  const Response response = response_of(loss);
  return response == Response::classes ? outputs : response == Response::share ? 2 : 0;
}

/// Rows in ascending order of their outputs, equal ones by their number, and the area under the curve, which follows
/// from that alone.
struct RowOrder {
  std::vector<uint32_t> order;
  /// Whether the output of order[i] is that of order[i − 1], as for rows that are the same.
  std::vector<uint8_t> tied;
  double area = 0;
};

/// Scratch: the outputs of one lane over all rows, and their order, which is mostly that of the lane's last run.
struct ScoreScratch : RowOrder {
  std::vector<double> z;
};

/// Of losses with two classes through the logistic function: sums over the rows so far, a lane group of points at a
/// time.
template <class T>
struct ShareSums {
  static constexpr int L = LANES<T>, U = L / W<T>;
  using V = Pack<T, U>;
  V right = T(0), hits = T(0), called = T(0), logs = T(0);

  /// Outputs z [L] of one row with weight w and share y.
  inline __attribute__((always_inline)) void add(const T* z_row, T w, T y) {
    const V z = load_pack<U>(z_row), zero = T(0);
    const auto one = z > zero;
    right += select(one, V(w * y), V(w * (1 - y)));
    hits += select(one, V(w * y), zero);
    called += select(one, V(w), zero);
    // log(1 + e^−|z|) is all that −log p and −log(1−p) need beside |z|; a share of 0 has no part in a loss that may be
    // infinite.
    const V tail = vlog1p_unit<T, U>(vexp_negative<T, U>(-abs(z)));
    const V up = y == 0 ? zero : V(y) * (max(-z, zero) + tail), down = y == 1 ? zero : V(1 - y) * (max(z, zero) + tail);
    logs += V(w) * select(z == z, up + down, z);
  }
};

/// log Φ(z) in double precision.
inline double log_normal_cdf(double z) {
  if (z > -5) return z > 5 ? std::log1p(-0.5 * std::erfc(z * M_SQRT1_2)) : std::log(0.5 * std::erfc(-z * M_SQRT1_2));
  // Cody's form for the far tail.
  const double x = -z * M_SQRT1_2, y = 1 / (x * x);
  double p = 0, q = 0;
  for (int i = 5; i >= 0; i--) p = p * y + far_p[i], q = q * y + far_q[i];
  return -0.5 * z * z + std::log(0.5 * (1 / 1.7724538509055160273 - y * p / q) / x);
}

inline double log1p_exp(double z) { return std::fmax(z, 0) + std::log1p(std::exp(-std::fabs(z))); }

/// −[y log p + (1−y) log(1−p)]
inline double log_loss(Loss loss, double z, double y) {
  double up, down;  // −log p and −log(1−p)
  if (loss == Loss::probit) {
    up = y == 0 ? 0 : -log_normal_cdf(z), down = y == 1 ? 0 : -log_normal_cdf(-z);
  } else if (loss == Loss::cloglog) {
    const double u = std::exp(z);
    up = z < -36 ? -z : u < 0.7 ? -std::log(-std::expm1(-u)) : -std::log1p(-std::exp(-u));
    down = u;
  } else {
    up = y == 0 ? 0 : log1p_exp(-z), down = y == 1 ? 0 : log1p_exp(z);
  }
  return (y == 0 ? 0 : y * up) + (y == 1 ? 0 : (1 - y) * down);
}

/// Whether the outputs are in the order of before, with the same ones equal.
inline bool follows_order(const ScoreScratch& s) {
  const size_t N = s.z.size();
  if (s.order.size() != N) return false;
  const double* z = s.z.data();
  bool follows = true;
  for (size_t i = 1; i < N; i++) {
    const double a = z[s.order[i - 1]], b = z[s.order[i]];
    follows &= s.tied[i] ? a == b : a < b;
  }
  return follows;
}

/// Brings the rows into the order of their outputs, none of which is NaN.
inline void sort_rows(ScoreScratch& s) {
  const size_t N = s.z.size();
  const double* z = s.z.data();
  if (s.order.size() != N) {
    s.order.resize(N), s.tied.resize(N);
    for (size_t i = 0; i < N; i++) s.order[i] = uint32_t(i);
  }
  std::sort(s.order.begin(), s.order.end(),
            [&](uint32_t a, uint32_t b) { return z[a] < z[b] || (z[a] == z[b] && a < b); });
  for (size_t i = 1; i < N; i++) s.tied[i] = z[s.order[i - 1]] == z[s.order[i]];
}

/// NaN where there is only one class, or an output is no number.
template <class T>
double area_under_curve(const Problem<T>& p, ScoreScratch& s) {
  const int C = p.d.outputs, N = p.d.rows * C;
  constexpr double none = std::numeric_limits<double>::quiet_NaN();
  for (double z : s.z)
    if (std::isnan(z)) return none;
  if (follows_order(s)) return s.area;
  sort_rows(s);
  double below = 0, pairs = 0, ones = 0;
  for (int i = 0; i < N;) {
    double zeros_here = 0, ones_here = 0;
    int j = i;
    do {
      const uint32_t at = s.order[j], row = C == 1 ? at : at / C, c = C == 1 ? 0 : at % C;
      const double w = p.weight[row], y = p.y[size_t(c) * p.d.rows + row];
      ones_here += w * y, zeros_here += w * (1 - y);
      j++;
    } while (j < N && s.tied[j]);
    pairs += ones_here * (below + 0.5 * zeros_here);
    below += zeros_here;
    ones += ones_here;
    i = j;
  }
  return s.area = ones > 0 && below > 0 ? pairs / (ones * below) : none;
}

/// One lane: s.z holds its outputs [N, C]; counts [N, C'], or [N, C, 2] for shares, is increased. Of losses that take
/// outputs one by one, every output of every row counts.
template <class T>
void score_lane(const Problem<T>& p, ScoreScratch& s, double* out, double* counts) {
  const int N = p.d.rows, C = p.d.outputs;
  double total = 0;
  for (int i = 0; i < N; i++) total += p.weight[i];
  if (response_of(p.d.loss) == Response::classes) {
    double right = 0, logs = 0;
    for (int i = 0; i < N; i++) {
      const double* z = &s.z[size_t(i) * C];
      int best = 0;
      for (int c = 1; c < C; c++) best = z[c] > z[best] ? c : best;
      counts[size_t(i) * C + best] += 1;
      if (best == int(p.y[i])) right += p.weight[i];
      double sum = 0;
      for (int c = 0; c < C; c++) sum += std::exp(z[c] - z[best]);
      logs += p.weight[i] * (std::log(sum) + z[best] - z[int(p.y[i])]);
    }
    out[0] = right / total, out[1] = logs / total;
  } else if (score_columns(p.d.loss) == 5) {
    // Of losses that are no function of the logistic one; `ShareSums` has the others.
    double right = 0, hits = 0, ones = 0, called = 0, logs = 0;
    total *= C;
    for (int i = 0; i < N * C; i++) {
      const double z = s.z[i], w = p.weight[i / C], y = p.y[size_t(i % C) * N + i / C];
      const bool one = p.d.loss == Loss::cloglog ? -std::expm1(-std::exp(z)) > 0.5 : z > 0;
      counts[2 * size_t(i) + one] += 1;
      right += w * (one ? y : 1 - y);
      hits += one ? w * y : 0;
      ones += w * y;
      called += one ? w : 0;
      logs += w * log_loss(p.d.loss, z, y);
    }
    out[0] = right / total, out[1] = ones > 0 ? hits / ones : 0, out[2] = called > 0 ? hits / called : 0;
    out[3] = area_under_curve(p, s);
    out[4] = logs / total;
  } else {
    double sse = 0, sst = 0, deviance = 0, null_deviance = 0;
    total *= C;
    const double* q = p.d.loss_constants.data();
    for (int i = 0; i < N * C; i++) {
      const double w = p.weight[i / C], y = p.y[size_t(i % C) * N + i / C], null = p.null_mean[i % C];
      const double mu = response_of(p.d.loss) == Response::number ? s.z[i] : std::exp(s.z[i]);
      sse += w * (y - mu) * (y - mu), sst += w * (y - null) * (y - null);
      deviance += w * unit_deviance(p.d.loss, y, mu, q), null_deviance += w * unit_deviance(p.d.loss, y, null, q);
    }
    out[0] = 1 - sse / sst, out[1] = 1 - deviance / null_deviance, out[2] = std::sqrt(sse / total);
  }
}

/// Whether a loss is scored by `ShareSums`: two classes, through the logistic function.
inline bool shares_logistic(Loss loss) {
  return score_columns(loss) == 5 && response_of(loss) != Response::classes && loss != Loss::probit &&
         loss != Loss::cloglog;
}

/// Scores a lane group at a time, when its outputs on all rows are in `z`.
template <class T>
class GroupScores {
 public:
  static constexpr int L = LANES<T>, U = ShareSums<T>::U;
  using V = Pack<T, U>;

  explicit GroupScores(const Problem<T>& problem)
      : problem_(problem), cells_(size_t(problem.d.rows) * problem.d.outputs), z_(cells_ * L), lanes_(L),
        shares_(shares_logistic(problem.d.loss)) {
    for (auto& lane : lanes_) lane.z.resize(cells_);
    const int N = problem.d.rows, C = problem.d.outputs;
    if (!shares_) return;
    for (int i = 0; i < N; i++) {
      total_ += problem.weight[i] * C;
      for (int c = 0; c < C; c++) ones_ += problem.weight[i] * problem.y[size_t(c) * N + i];
    }
  }

  void begin() { sums_ = ShareSums<T>(); }

  /// Outputs z [L] of a row, of which `used` lanes count; `counts` as for `score_lane`.
  MS_MEMBER void add(int row, int c, const T* z, size_t used, double* counts) {
    const int N = problem_.d.rows, C = problem_.d.outputs;
    const size_t at = size_t(row) * C + c;
    store<T, U>(z_.get() + at * L, load_pack<U>(z));
    if (!shares_) return;
    sums_.add(z, problem_.weight[row], problem_.y[size_t(c) * N + row]);
    int ones = 0;
    for (size_t l = 0; l < used; l++) ones += z[l] > 0;
    counts[2 * at] += double(used) - ones, counts[2 * at + 1] += ones;
  }

  /// The scores of the lanes, [used, M].
  void finish(size_t used, double* out, double* counts) {
    if (shares_) return finish_shares(used, out);
    const int M = score_columns(problem_.d.loss);
    for (size_t l = 0; l < used; l++) score_lane(problem_, lane(l), out + l * M, counts);
  }

 private:
  ScoreScratch& lane(size_t l) {
    for (size_t at = 0; at < cells_; at++) lanes_[l].z[at] = double(z_[at * L + l]);
    return lanes_[l];
  }

  void finish_shares(size_t used, double* out) {
    alignas(BYTES) T right[L], hits[L], called[L], logs[L];
    store<T, U>(right, sums_.right), store<T, U>(hits, sums_.hits), store<T, U>(called, sums_.called),
        store<T, U>(logs, sums_.logs);
    find_followers();
    const RowOrder* other = nullptr;
    for (size_t l = 0; l < used; l++, out += 5) {
      out[0] = right[l] / total_, out[1] = ones_ > 0 ? hits[l] / ones_ : 0,
      out[2] = called[l] > 0 ? hits[l] / called[l] : 0;
      out[3] = shared_.area;
      out[4] = logs[l] / total_;
      if (follows_[l] != T(0)) continue;
      out[3] = area_under_curve(problem_, lane(l));
      if (!std::isnan(out[3])) other = &lanes_[l];
    }
    if (other) shared_ = *other;
  }

  /// Tells in `follows_` which lanes' outputs are in the shared order.
  void find_followers() {
    auto follows = V(T(0)) < V(T(0));
    if (cells_ > 0 && shared_.order.size() == cells_) {
      V below = load_pack<U>(z_.get() + size_t(shared_.order[0]) * L);
      follows = below == below;
      for (size_t i = 1; i < cells_ && any(follows); i++) {
        const V z = load_pack<U>(z_.get() + size_t(shared_.order[i]) * L);
        follows = follows & (shared_.tied[i] ? below == z : below < z);
        below = z;
      }
    }
    store<T, U>(follows_, select(follows, V(T(1)), V(T(0))));
  }

  const Problem<T>& problem_;
  const size_t cells_;
  Aligned<T> z_;  // [N·C][L]
  std::vector<ScoreScratch> lanes_;
  const bool shares_;
  double total_ = 0, ones_ = 0;
  ShareSums<T> sums_;
  RowOrder shared_;  // of a lane scored before
  alignas(BYTES) T follows_[L] = {};
};

}  // namespace MS_TARGET
