// Resamples of the rows of a run's own, drawn by counter (kernels/README.md, "Random numbers"), and what they weigh in
// the lanes of a group.
#pragma once

#include <algorithm>
#include <vector>

#include "lane_rows.h"
#include "philox.h"

namespace MS_TARGET {

using manystart::Aligned;
using manystart::Philox;
using manystart::Resampling;

/// Blocks of Philox that are computed together.
constexpr uint32_t together = 16;

/// The words [4 · together] of as many blocks from `counter` on. Rounds are in step, over memory and without branches,
/// so that compilers take lanes for blocks.
inline void philox_blocks(const Philox& philox, uint32_t counter, uint64_t start, uint32_t stream, uint32_t* out) {
  uint32_t c[4 * together], *c0 = c, *c1 = c0 + together, *c2 = c1 + together, *c3 = c2 + together;
  uint32_t k0 = philox.key0, k1 = philox.key1;
  for (uint32_t i = 0; i < together; i++)
    c0[i] = counter + i, c1[i] = uint32_t(start), c2[i] = uint32_t(start >> 32), c3[i] = stream;
  for (int round = 0; round < 10; round++) {
    for (uint32_t i = 0; i < together; i++) {
      const uint32_t a = c0[i], b = c2[i];
      c0[i] = uint32_t(uint64_t(0xcd9e8d57u) * b >> 32) ^ c1[i] ^ k0;
      c1[i] = 0xcd9e8d57u * b;
      c2[i] = uint32_t(uint64_t(0xd2511f53u) * a >> 32) ^ c3[i] ^ k1;
      c3[i] = 0xd2511f53u * a;
    }
    k0 += 0x9e3779b9u;
    k1 += 0xbb67ae85u;
  }
  for (uint32_t i = 0; i < together; i++)
    for (uint32_t k = 0; k < 4; k++) out[4 * i + k] = c[k * together + i];
}

/// ⌊2³² P(X ≤ k)⌋ of a Poisson variable X of mean 1, k = 0 … 12.
constexpr uint32_t poisson_words[] = {1580030168u, 3160060337u, 3950075421u, 4213413783u, 4279248373u,
                                      4292415291u, 4294609777u, 4294923276u, 4294962463u, 4294966817u,
                                      4294967252u, 4294967292u, 4294967295u};

/// How often each of the n rows is in resample `number`; all once for a negative number. `order` [n]: scratch, which
/// keeps the order of the rows of draw `ordered` (at first none: ~0), as the parts of a division share one.
inline void row_counts(const Resampling& how, double number, uint32_t n, uint32_t* counts, uint32_t* order,
                       uint64_t& ordered) {
  using Kind = Resampling::Kind;
  const bool divided = how.kind == Kind::folds || how.kind == Kind::split;
  std::fill(counts, counts + n, number < 0 || divided ? 1 : 0);
  if (number < 0) return;
  const Philox philox(how.seed);
  const uint64_t draw = uint64_t(number);
  if (divided) {
    const bool folds = how.kind == Kind::folds;
    const uint64_t division = folds ? draw / how.size : draw;
    if (division != ordered) manystart::shuffle_epoch(philox, division, 0, n, order, manystart::stream_rows);
    ordered = division;
    for (uint32_t i = folds ? uint32_t(draw % how.size) : 0; i < (folds ? n : how.size); i += folds ? how.size : 1)
      counts[order[i]] = 0;
    return;
  }
  constexpr uint32_t most = 4 * together;
  uint32_t word[most];
  for (uint32_t from = 0; from < n; from += most) {
    const uint32_t used = std::min(most, n - from);
    philox_blocks(philox, from / 4, draw, manystart::stream_rows, word);
    if (how.kind == Kind::bootstrap) {
      for (uint32_t i = 0; i < used; i++) counts[uint32_t(uint64_t(word[i]) * n >> 32)]++;
      continue;
    }
    uint32_t times[most] = {};
    for (const uint32_t least : poisson_words)
      for (uint32_t i = 0; i < most; i++) times[i] += word[i] >= least;
    std::copy_n(times, used, counts + from);
  }
}

/// Shares of the rows that differ between the lanes of one group.
template <class T>
class OwnRows {
 public:
  static constexpr int L = LANES<T>;
  OwnRows(const Problem<T>& problem, const Resampling& how)
      : problem_(problem), how_(how), share_(size_t(problem.d.rows) * L), unit_(L),
        rows_(problem.formula ? size_t(problem.d.rows) * L : 0), times_(problem.d.rows), order_(problem.d.rows),
        low_(size_t(problem.d.rows) * L) {
    std::fill(share_.get(), share_.get() + size_t(problem.d.rows) * L, T(0));
    std::fill(unit_.get(), unit_.get() + L, T(0));
    for (size_t i = 0; i < rows_.size(); i++) rows_[i] = uint32_t(i / L);
  }
  OwnRows(const OwnRows&) = delete;
  OwnRows& operator=(const OwnRows&) = delete;

  /// Lane l takes resample `number`.
  void draw(int l, double number) {
    const uint32_t N = uint32_t(problem_.d.rows);
    row_counts(how_, number, N, times_.data(), order_.data(), ordered_);
    more_[l].clear();
    if (problem_.equal_weights) draw_equal(l, N);
    else draw_weighted(l, N);
    count_[l] = N;
  }
  const T* share() const { return share_.get(); }
  LaneRows<T> rows() const {
    return {rows_.data(), problem_.d.rows, count_, share_.get(), problem_.equal_weights ? &repeated_ : nullptr};
  }

 private:
  void draw_weighted(int l, uint32_t N) {
    double total = 0;
    for (uint32_t i = 0; i < N; i++) total += double(problem_.weight[i]) * times_[i];
    for (uint32_t i = 0; i < N; i++) {
      const double weight = double(problem_.weight[i]) * times_[i];
      share_[size_t(i) * L + l] = weight > 0 ? T(weight / total) : T(0);
    }
  }
  /// Where all rows weigh the same, shares are numbers of times, of which few are different.
  void draw_equal(int l, uint32_t N) {
    uint64_t total = 0;
    for (uint32_t i = 0; i < N; i++) total += times_[i];
    T shares[8] = {};
    for (int n = 1; n < 8 && total > 0; n++) shares[n] = T(double(n) / double(total));
    unit_[l] = shares[1];
    for (uint32_t i = 0; i < N; i++) {
      const uint32_t n = times_[i];
      share_[size_t(i) * L + l] = n < 8 ? shares[n] : T(double(n) / double(total));
      low_[size_t(i) * L + l] = uint8_t(n & 7);
      if (n > 7) more_[l].push_back({i, n & ~7u});
    }
  }

  const Problem<T>& problem_;
  const Resampling how_;
  Aligned<T> share_, unit_;
  /// Every row in each lane, for formulas.
  std::vector<uint32_t> rows_;
  std::vector<uint32_t> times_, order_;
  uint64_t ordered_ = ~uint64_t(0);
  std::vector<uint8_t> low_;
  std::vector<std::pair<uint32_t, uint32_t>> more_[L];
  /// Rows of the lane's resample: none in a lane that has had no run.
  uint32_t count_[L] = {};
  const Times<T> repeated_{low_.data(), unit_.get(), more_};
};

}  // namespace MS_TARGET
