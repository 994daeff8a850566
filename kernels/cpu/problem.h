// A problem prepared for one precision: plain data, no SIMD, shared by all threads and read only.
#pragma once

#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <new>
#include <vector>

#include "formula_program.h"
#include "loss.h"

namespace manystart {

struct Layer {
  int at, inputs, units, stride;
};

struct Description {
  int rows = 0, inputs = 0, outputs = 1;
  std::vector<int> hidden;
  Activation activation = Activation::tanh;
  Loss loss = Loss::squared;
  /// Numbers that the loss computes with; they follow from its parameters.
  std::vector<double> loss_constants;
  bool bias = true;
  /// Firth's penalty.
  bool firth = false;
  /// λ_p [P] of the penalty ½ Σ λ_p θ_p².
  std::vector<double> penalty;
};

/// 64-byte aligned storage that is not initialised.
template <class T>
class Aligned {
 public:
  Aligned() = default;
  explicit Aligned(size_t n) { resize(n); }
  ~Aligned() { std::free(data_); }
  Aligned(const Aligned&) = delete;
  Aligned& operator=(const Aligned&) = delete;
  Aligned(Aligned&& o) noexcept : data_(o.data_), size_(o.size_) { o.data_ = nullptr, o.size_ = 0; }
  Aligned& operator=(Aligned&& o) noexcept {
    std::swap(data_, o.data_);
    std::swap(size_, o.size_);
    return *this;
  }
  void resize(size_t n) {
    if (n <= size_) return;
    std::free(data_);
    data_ = static_cast<T*>(std::aligned_alloc(64, (n * sizeof(T) + 63) / 64 * 64));
    if (!data_) throw std::bad_alloc();
    size_ = n;
  }
  T* get() { return data_; }
  const T* get() const { return data_; }
  T& operator[](size_t i) { return data_[i]; }
  const T& operator[](size_t i) const { return data_[i]; }
  size_t size() const { return size_; }

 private:
  T* data_ = nullptr;
  size_t size_ = 0;
};

template <class T>
struct Problem {
  Description d;
  std::vector<Layer> layers;
  int P = 0;
  /// Inputs of the first layer, the column of ones of the bias included.
  int S = 0;
  /// [N, S] row-major; column 0 is 1 where there are biases.
  Aligned<T> x;
  /// Targets [C][N], one output after the other; [N] class numbers where the loss takes all outputs together.
  std::vector<T> y;
  /// Of the loss, three always.
  std::vector<T> loss_constants;
  /// weight_i / Σ weight, and the weights themselves.
  std::vector<T> c, weight;
  bool equal_weights = true;
  std::vector<T> offset;
  std::vector<T> penalty;
  bool penalized = false;
  std::vector<T> scale;
  /// Weighted mean of the targets of each output.
  std::vector<double> null_mean;

  /// Targets of a row.
  int targets() const { return response_of(d.loss) == Response::classes ? 1 : d.outputs; }

  /// The formula, where the model is one, with its constants and its columns [S'][N]; and the rows with a weight alone,
  /// which f and its derivatives see: what is computed on the others is not defined.
  std::shared_ptr<const Formula> formula;
  std::vector<T> constants;
  Aligned<T> columns, columns_counted;
  int counted = 0;
  /// Products of two derivatives of z that depend on the row alone, [pairs][counted], the first of them with itself and
  /// all later ones, then the second: what H sums for a formula linear in its parameters. Empty where there are none or
  /// they would be too many.
  Aligned<T> pairs;
  std::vector<T> y_counted, c_counted, offset_counted;
  /// Numbers of those rows.
  std::vector<uint32_t> rows_counted;

  /// As below for a formula; `xs` are its columns [S'][N], one after the other.
  Problem(const Description& description, std::shared_ptr<const Formula> given, const double* xs, const double* ys,
          const double* weights, const double* offsets)
      : d(description), P(given->parameters), formula(std::move(given)) {
    take_rows(ys, weights, offsets);
    scale.assign(P, T(1));
    penalty.assign(P, T(0));
    constants.assign(formula->constants.begin(), formula->constants.end());
    const size_t N = d.rows;
    std::vector<uint32_t>& used = rows_counted;
    for (size_t i = 0; i < N; i++)
      if (weight[i] > 0) used.push_back(uint32_t(i));
    counted = int(used.size());
    columns.resize(formula->columns * N + 16);
    columns_counted.resize(formula->columns * used.size() + 16);
    for (int k = 0; k < formula->columns; k++) {
      for (size_t i = 0; i < N; i++) columns[k * N + i] = T(xs[k * N + i]);
      for (size_t n = 0; n < used.size(); n++) columns_counted[k * used.size() + n] = T(xs[k * N + used[n]]);
    }
    for (const uint32_t i : used)
      y_counted.push_back(y[i]), c_counted.push_back(c[i]), offset_counted.push_back(offset[i]);
    if (formula->has_loss) make_pairs();
  }

  /// Arrays in f64 as TypeScript hands them over; weight and offset may be null.
  Problem(const Description& description, const double* xs, const double* ys, const double* weights,
          const double* offsets)
      : d(description) {
    std::vector<int> sizes{d.inputs};
    sizes.insert(sizes.end(), d.hidden.begin(), d.hidden.end());
    sizes.push_back(d.outputs);
    const int extra = d.bias ? 1 : 0;
    for (size_t l = 1; l < sizes.size(); l++) {
      const int stride = sizes[l - 1] + extra;
      layers.push_back({P, sizes[l - 1], sizes[l], stride});
      P += sizes[l] * stride;
    }
    S = d.inputs + extra;
    x.resize(size_t(d.rows) * S + 16);
    for (int i = 0; i < d.rows; i++) {
      if (extra) x[size_t(i) * S] = 1;
      for (int k = 0; k < d.inputs; k++) x[size_t(i) * S + extra + k] = T(xs[size_t(i) * d.inputs + k]);
    }
    take_rows(ys, weights, offsets);
    penalty.assign(d.penalty.begin(), d.penalty.end());
    penalty.resize(P);
    for (const T v : penalty) penalized = penalized || v > 0;
    scale.assign(P, T(1));
    for (int k = 0; k < d.inputs; k++) {
      double sum = 0;
      for (int i = 0; i < d.rows; i++) sum += xs[size_t(i) * d.inputs + k] * xs[size_t(i) * d.inputs + k];
      const double rms = std::sqrt(sum / d.rows);
      if (!(rms > 0)) continue;
      for (int j = 0; j < layers[0].units; j++) scale[layers[0].at + j * layers[0].stride + extra + k] = T(1 / rms);
    }
  }

 private:
  void make_pairs() {
    // A fixed or constant derivative of 0 adds nothing.
    std::vector<std::pair<const T*, size_t>> slopes;
    for (const int operand : formula->first) {
      const int number = operand >> 2, kind = operand & 3;
      if (kind == formula::row) slopes.push_back({columns_counted.get() + size_t(number) * counted, 1});
      else if (kind == formula::constant && constants[number] != 0) slopes.push_back({&constants[number], 0});
    }
    constexpr size_t most = size_t(1) << 21;
    const size_t count = slopes.size() * (slopes.size() + 1) / 2;
    if (count * counted > most) return;
    pairs.resize(count * counted);
    T* to = pairs.get();
    for (size_t i = 0; i < slopes.size(); i++)
      for (size_t j = i; j < slopes.size(); j++)
        for (int r = 0; r < counted; r++)
          *to++ = slopes[i].first[r * slopes[i].second] * slopes[j].first[r * slopes[j].second];
  }
  void take_rows(const double* ys, const double* weights, const double* offsets) {
    d.loss_constants.resize(3);
    loss_constants.assign(d.loss_constants.begin(), d.loss_constants.end());
    const int C = targets();
    y.resize(size_t(d.rows) * C);
    null_mean.resize(C);
    double total = 0;
    for (int i = 0; i < d.rows; i++) total += weights ? weights[i] : 1;
    for (int i = 0; i < d.rows; i++) {
      const double w = weights ? weights[i] : 1;
      for (int k = 0; k < C; k++) {
        const double target = ys[size_t(i) * C + k];
        y[size_t(k) * d.rows + i] = T(target);
        null_mean[k] += w / total * target;
      }
      weight.push_back(T(w));
      equal_weights = equal_weights && w > 0 && w == (weights ? weights[0] : 1);
      c.push_back(T(w / total));
      offset.push_back(T(offsets ? offsets[i] : 0));
    }
  }
};

}  // namespace manystart
