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
/// time. Where all rows weigh the same, one logarithm serves many of them, as in the loss (network.h).
template <class T>
struct ShareSums {
  static constexpr int L = LANES<T>, U = VPL<T>;
  /// Rows that go through the exponential together.
  static constexpr int together = PACK / U > 1 ? PACK / U : 1;
  Vec<T> right[U] = {}, hits[U] = {}, called[U] = {}, logs[U] = {};
  /// Π (1 + e^−|z|) − 1 over the rows whose logarithm is still to be taken.
  Vec<T> odds[U] = {};
  int pending = 0;

  /// Outputs z [R][L] of R rows with weights w and shares y; `ones` [R][L] counts those above 0.
  template <bool EQUAL, int R>
  MS_MEMBER void add(const T* rows, const T* w, const T* y, T* ones) {
    constexpr int N = R * U;
    const Pack<T, N> z = load_pack<N>(rows), e = vexp_negative<T, N>(-abs(z));
    Pack<T, N> tail = e;
    // log(1 + e^−|z|) is all that −log p and −log(1−p) need beside |z|.
    if constexpr (!EQUAL) tail = vlog1p_unit<T, N>(e);
    const Vec<T> zero = broadcast(T(0));
    for (int k = 0; k < N; k++) {
      const int r = k / U, v = k % U;
      const Vec<T> weight = broadcast(w[r]), event = broadcast(w[r] * y[r]), other = broadcast(w[r] * (1 - y[r]));
      const Vec<T> at = z.v[k];
      const auto one = at > zero;
      right[v] += select<T>(one, event, other);
      hits[v] += select<T>(one, event, zero);
      called[v] += select<T>(one, weight, zero);
      store(ones + k * W<T>, load(ones + k * W<T>) + select<T>(one, broadcast(T(1)), zero));
      // A share of 0 has no part in a loss that may be infinite. A NaN is the second argument of max.
      if (y[r] != 0) logs[v] += event * vmax(zero, -at);
      if (y[r] != 1) logs[v] += other * vmax(zero, at);
      if constexpr (EQUAL) odds[v] = fma(tail.v[k], odds[v] + T(1), odds[v]);
      else logs[v] += weight * tail.v[k];
    }
    if constexpr (EQUAL) {
      pending += R;
      if (pending + together > rows_together<T, false>) take_logarithm(w[0]);
    }
  }

  MS_MEMBER void take_logarithm(T w) {
    for (int v = 0; v < U; v++) {
      Pack<T, 1> q;
      q.v[0] = odds[v];
      logs[v] += broadcast(w) * log_of_odds<T, 1>(q).v[0];
      odds[v] = broadcast(T(0));
    }
    pending = 0;
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
  static constexpr int L = LANES<T>, U = VPL<T>, together = ShareSums<T>::together;
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
    called_.resize(cells_ * L);
    std::fill(called_.get(), called_.get() + cells_ * L, T(0));
  }

  void begin() { sums_ = ShareSums<T>(); }

  /// Output c of `rows` rows from `first` on, z [rows][L].
  void add(int first, int rows, int c, const T* z) {
    const int C = problem_.d.outputs;
    if (C == 1) std::copy(z, z + size_t(rows) * L, z_.get() + size_t(first) * L);
    else
      for (int r = 0; r < rows; r++) std::copy(z + size_t(r) * L, z + size_t(r + 1) * L, z_.get() + cell(first + r, c));
    if (!shares_) return;
    if (problem_.equal_weights) add_shares<true>(first, rows, c, z);
    else add_shares<false>(first, rows, c, z);
  }

  /// Adds to `counts`, as for `score_lane`, what is still missing of the points so far.
  void count_classes(double* counts) {
    for (size_t at = 0; at < cells_ && shares_; at++) {
      T* lanes = called_.get() + at * L;
      double ones = 0;
      for (size_t l = 0; l < L; l++) ones += double(lanes[l]);
      std::fill(lanes, lanes + L, T(0));
      counts[2 * at] += double(scored_) - ones, counts[2 * at + 1] += ones;
    }
    scored_ = 0;
  }

  /// The scores of the lanes, [used, M]; `counts` as for `score_lane`.
  void finish(size_t used, double* out, double* counts) {
    if (shares_) {
      finish_shares(used, out);
      // Whole numbers beyond these are not all there in f32.
      if (scored_ >= size_t(1) << 20) count_classes(counts);
      return;
    }
    const int M = score_columns(problem_.d.loss);
    for (size_t l = 0; l < used; l++) score_lane(problem_, lane(l), out + l * M, counts);
  }

 private:
  /// Where the outputs of a row lie, in c = 0, 1, …
  size_t cell(int row, int c) const { return (size_t(row) * problem_.d.outputs + c) * L; }

  template <bool EQUAL>
  void add_shares(int first, int rows, int c, const T* z) {
    const T* weight = problem_.weight.data() + first;
    const T* y = problem_.y.data() + size_t(c) * problem_.d.rows + first;
    ShareSums<T> sums = sums_;
    int r = 0;
    if (problem_.d.outputs == 1)
      for (; r + together <= rows; r += together)
        sums.template add<EQUAL, together>(z + size_t(r) * L, weight + r, y + r, called_.get() + cell(first + r, c));
    for (; r < rows; r++)
      sums.template add<EQUAL, 1>(z + size_t(r) * L, weight + r, y + r, called_.get() + cell(first + r, c));
    sums_ = sums;
  }

  ScoreScratch& lane(size_t l) {
    for (size_t at = 0; at < cells_; at++) lanes_[l].z[at] = double(z_[at * L + l]);
    return lanes_[l];
  }

  void finish_shares(size_t used, double* out) {
    if (problem_.equal_weights && cells_ > 0) sums_.take_logarithm(problem_.weight[0]);
    alignas(BYTES) T right[L], hits[L], called[L], logs[L];
    for (int v = 0; v < U; v++)
      store(right + v * W<T>, sums_.right[v]), store(hits + v * W<T>, sums_.hits[v]),
          store(called + v * W<T>, sums_.called[v]), store(logs + v * W<T>, sums_.logs[v]);
    scored_ += used;
    // Lanes that hold no point have called too.
    for (size_t at = 0; at < cells_ && used < L; at++)
      for (size_t l = used; l < L; l++) called_[at * L + l] -= T(z_[at * L + l] > T(0));
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
  Aligned<T> z_;       // [N·C][L]
  Aligned<T> called_;  // [N·C][L]: how many of the points had an output above 0
  size_t scored_ = 0;  // points that `called_` counts
  std::vector<ScoreScratch> lanes_;
  const bool shares_;
  double total_ = 0, ones_ = 0;
  ShareSums<T> sums_;
  RowOrder shared_;  // of a lane scored before
  alignas(BYTES) T follows_[L] = {};
};

}  // namespace MS_TARGET
