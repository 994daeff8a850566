// Proofs about one stationary point of a network's f: that exactly one lies in a box, by Krawczyk's test with
// ε-inflation, and the inertia of H over that box (Rump, Acta Numerica 19, 2010, §13). Lengths are in scaled variables
// z = x / σ, σ_i a power of two near |H_ii|^−½.
//
// With C near H(x̃)⁻¹, |C g(x̃)| ≤ y and |I − C A| ≤ M for every A in H(X), X = x̃ ± ρ: if y + Mρ < ρ there is exactly one
// zero of g in X. M's norm in the units ρ is then below 1, so every matrix of the convex set H(X) is regular and all
// have the inertia of one of them, which is shown for a matrix of doubles. If that norm is κ ≤ ¼, Newton's method
// converges from everywhere in the box: a step leaves at most 2κ/(1 − κ) ≤ ⅔ of the distance.
//
// Softmax leaves open what is added to the parameters of all classes, unless a ridge falls on them. There ½γ(Σ_c θ_c)²
// is added: f does not change along (1, …, 1), so that its stationary points are those of f whose parameters sum to 0
// over the classes, and H is that of f but for γ > 0 along directions in which it is 0.
#pragma once

#include "dense.h"
#include "derivatives.h"
#include "prover.h"

namespace MS_TARGET {

using manystart::Proofs;
using manystart::ProofStatus;

class Prover {
 public:
  explicit Prover(const Problem<double>& problem)
      : p(problem), n(problem.P), plain(problem, true), exact(problem, false), box(problem, true), hi(n), lo(n),
        sigma(n), radii(n), ball_point(n), box_point(n), plain_point(n) {
    if (p.formula || p.d.loss != Loss::softmax) return;
    const auto& last = p.layers.back();
    for (int d = 0; d < last.stride; d++) {
      Shift shift{{}, 1};
      for (int c = 0; c < last.units; c++) shift.places.push_back(last.at + c * last.stride + d);
      if (std::all_of(shift.places.begin(), shift.places.end(), [&](int i) { return !(p.penalty[i] > 0); }))
        shifts.push_back(shift);
    }
  }

  /// Writes what is found of the point `theta` as number `r` of `out`.
  void prove(const double* theta, size_t r, const Proofs& out) {
    start(theta);
    ProofStatus status = expand_at(hi.data());
    bool strict = false;
    if (status == ProofStatus::proved) {
      strict = is_positive_definite();
      status = refine() ? find_box() : ProofStatus::not_finite;
    }
    if (status == ProofStatus::proved && !strict && !count_negative()) status = ProofStatus::inertia;
    write(status, r, out);
  }

  /// Newton's method to a strict minimum beside `theta`, and its coordinates. What it comes to is looked at once more:
  /// beside a valley without loss residuals bend f, and H is positive definite up to the last step.
  void settle(const double* theta, size_t r, const Proofs& out) {
    start(theta);
    ProofStatus status = ProofStatus::singular;
    for (int step = 0; step < 20; step++) {
      if (expand_at(hi.data()) != ProofStatus::proved || !is_positive_definite()) break;
      double largest = 0;
      for (int i = 0; i < n; i++) {
        double sum = 0;
        for (int j = 0; j < n; j++) sum -= C[at(i, j)] * (sigma[j] * plain.g[j][0]);
        hi[i] += sigma[i] * sum;
        largest = std::max(largest, std::fabs(sum) * sigma[i] / length(i));
      }
      if (!(largest < 1e9)) break;
      if (largest > 1e-8) continue;
      if (!refine()) status = ProofStatus::not_finite;
      else if (expand_at(hi.data()) == ProofStatus::proved && is_positive_definite()) status = ProofStatus::proved;
      break;
    }
    contraction = NAN;
    std::fill(radii.begin(), radii.end(), 0.0);
    write(status, r, out);
  }

  bool holds(const double* center, const double* widths) {
    start(center);
    if (expand_at(hi.data()) != ProofStatus::proved || !displacement()) return false;
    std::vector<double> rho(n);
    for (int i = 0; i < n; i++) rho[i] = widths[i] / sigma[i];
    return krawczyk(rho) == ProofStatus::proved;
  }

 private:
  const Problem<double>& p;
  const int n;
  Derivatives<V> plain;
  Derivatives<Ball> exact;
  Derivatives<Interval> box;
  std::vector<double> hi, lo, sigma, radii;
  /// Parameters of all classes whose sum f does not depend on, and γ, a power of two near their entries on H's
  /// diagonal.
  struct Shift {
    std::vector<int> places;
    double gamma;
  };
  std::vector<Shift> shifts;
  std::vector<Ball> ball_point;
  std::vector<Interval> box_point;
  std::vector<V> plain_point;
  /// Scaled: H near the point, its approximate inverse, |I − C A| as computed.
  Matrix A, C, M0;
  /// Scaled bounds: |C g| at the point and the part of it that is rounding.
  std::vector<double> y, noise, shape;
  int negative = 0;
  double contraction = NAN;

  size_t at(int i, int j) const { return size_t(i) * n + j; }
  /// A factor that makes a sum of n positive terms, rounded to nearest, a bound.
  double bound() const { return 1 + (2 * n + 16) * 2 * unit; }
  double length(int i) const { return std::max(p.scale[i], std::fabs(hi[i])); }

  void start(const double* theta) {
    std::copy(theta, theta + n, hi.begin());
    std::fill(lo.begin(), lo.end(), 0.0);
    std::fill(radii.begin(), radii.end(), 0.0);
    y.assign(n, NAN), noise.assign(n, NAN);
    negative = 0, contraction = NAN;
  }

  /// Adds the terms of the shifts to g, and to H where there is one.
  template <class S>
  void hold_shifts(Derivatives<S>& at_point, const std::vector<S>& theta) const {
    for (const auto& [places, gamma] : shifts) {
      S sum = theta[places[0]];
      for (size_t c = 1; c < places.size(); c++) sum = sum + theta[places[c]];
      const S along = sum * number(sum, gamma);
      for (size_t c = 0; c < places.size(); c++) {
        at_point.g[places[c]] = at_point.g[places[c]] + along;
        if (at_point.H.empty()) continue;
        for (size_t e = c; e < places.size(); e++) {
          S& h = at_point.H[at(places[c], places[e])];
          h = h + number(sum, gamma);
        }
      }
    }
  }

  /// A, C, σ and the γ of the shifts from H at x.
  ProofStatus expand_at(const double* x) {
    for (int i = 0; i < n; i++) plain_point[i] = vec(x[i]);
    plain.evaluate(plain_point);
    for (auto& shift : shifts) {
      double mean = 0;
      for (int i : shift.places) mean += plain.H[at(i, i)][0] / shift.places.size();
      shift.gamma = mean > 1e-200 && mean < 1e200 ? std::exp2(std::round(std::log2(mean))) : 1;
    }
    hold_shifts(plain, plain_point);
    A.resize(size_t(n) * n);
    for (int i = 0; i < n; i++) {
      const double d = std::fabs(plain.H[at(i, i)][0]);
      if (!(d < 1e200)) return ProofStatus::not_finite;
      sigma[i] = d > 1e-200 ? std::exp2(-std::round(0.5 * std::log2(d))) : 1;
    }
    for (int i = 0; i < n; i++)
      for (int j = i; j < n; j++) {
        const double h = plain.H[at(i, j)][0] * sigma[i] * sigma[j];
        if (!std::isfinite(h)) return ProofStatus::not_finite;
        A[at(i, j)] = A[at(j, i)] = h;
      }
    if (plain.kink) return ProofStatus::kink;
    return invert(A, n, C) ? ProofStatus::proved : ProofStatus::singular;
  }

  /// A is positive definite if the factorisation of A − cI runs through, c ≥ γ_{n+1}/(1 − γ_{n+1}) trace A (Rump, BIT
  /// 46, 2006).
  bool is_positive_definite() const {
    double trace = 0;
    for (int i = 0; i < n; i++) trace += std::fabs(A[at(i, i)]);
    Matrix copy = A;
    return cholesky(copy, n, 4 * (n + 2) * unit * trace + 1e-280);
  }

  /// g at hi + lo; y and noise from it. False where something is not finite, or a unit sits at its kink.
  bool displacement(std::vector<double>* step = nullptr) {
    for (int i = 0; i < n; i++) ball_point[i] = {vec(hi[i]), vec(lo[i]), V{}};
    exact.evaluate(ball_point);
    hold_shifts(exact, ball_point);
    if (exact.kink) return false;
    bool finite = true;
    if (step) step->assign(n, 0);
    for (int i = 0; i < n; i++) {
      double moved = 0, size = 0, wide = 0;
      for (int j = 0; j < n; j++) {
        const double c = C[at(i, j)], g = sigma[j] * exact.g[j].hi[0],
                     rest = sigma[j] * (exact.g[j].rad[0] + std::fabs(exact.g[j].lo[0]));
        moved += c * g, size += std::fabs(c * g), wide += std::fabs(c) * rest;
      }
      noise[i] = 0;
      for (int j = 0; j < n; j++) noise[i] += std::fabs(C[at(i, j)]) * sigma[j] * exact.g[j].rad[0];
      y[i] = (std::fabs(moved) + (n + 2) * 2 * unit * size + wide) * bound();
      finite = finite && std::isfinite(y[i]);
      if (step) (*step)[i] = moved;
    }
    return finite;
  }

  /// Newton's method with the gradient in balls and a fixed C, until what is left is the gradient's own error.
  bool refine() {
    std::vector<double> step;
    double before = INFINITY;
    for (int k = 0; k < 8; k++) {
      if (!displacement(&step)) return false;
      double ratio = 0;
      for (int i = 0; i < n; i++) ratio = std::max(ratio, std::fabs(step[i]) / (noise[i] + 0x1p-120));
      if (ratio <= 4 || !(ratio < 0.5 * before)) return true;
      before = ratio;
      for (int i = 0; i < n; i++) {
        const double d = -sigma[i] * step[i], s = hi[i] + d, part = s - hi[i];
        const double rest = (hi[i] - (s - part)) + (d - part) + lo[i];
        hi[i] = s + rest, lo[i] = rest - (hi[i] - s);
      }
    }
    return displacement();
  }

  /// The test in the box of scaled half widths rho, widened to doubles; keeps κ and, where it holds, the box.
  ProofStatus krawczyk(std::vector<double>& rho) {
    for (int i = 0; i < n; i++) {
      const V width = vec(sigma[i] * rho[i]), h = vec(hi[i]), l = vec(lo[i]);
      const Interval x = {down(h + down(l - width)), up(h + up(l + width))};
      box_point[i] = x;
      const V reach = vmax(up(up(h - x.lo) + l), up(up(x.hi - h) - l));
      rho[i] = reach[0] / sigma[i];
    }
    box.evaluate(box_point);
    hold_shifts(box, box_point);
    if (box.kink) return ProofStatus::kink;
    if (M0.size() != A.size() || stale) form_residual();
    std::vector<double> spread(n), image(n);
    for (int i = 0; i < n; i++) {
      double sum = 0;
      for (int j = 0; j < n; j++) {
        const Interval& h = box.H[i <= j ? at(i, j) : at(j, i)];
        const double s = sigma[i] * sigma[j], a = A[at(i, j)], low = s * h.lo[0], high = s * h.hi[0];
        // The last term is for the rounding of C A in M0.
        const double rad = std::max(high - a, a - low) * (1 + 4 * unit) + (n + 2) * 2 * unit * std::fabs(a);
        if (!(rad < INFINITY) || !(low <= high)) return ProofStatus::not_finite;
        sum += rad * rho[j];
      }
      spread[i] = sum;
    }
    contraction = 0;
    bool inside = true;
    for (int i = 0; i < n; i++) {
      double sum = 0;
      for (int j = 0; j < n; j++) sum += M0[at(i, j)] * rho[j] + std::fabs(C[at(i, j)]) * spread[j];
      image[i] = sum * bound();
      contraction = std::max(contraction, image[i] / rho[i]);
      inside = inside && (y[i] + image[i]) * bound() < rho[i];
    }
    if (!inside) return std::isfinite(contraction) ? ProofStatus::no_box : ProofStatus::not_finite;
    return ProofStatus::proved;
  }

  bool stale = true;
  /// |I − C A| as it is computed: the error of a sum of n products is at most (n + 1)u |C| |A|.
  void form_residual() {
    M0.assign(A.size(), 0);
    for (int i = 0; i < n; i++) {
      double* row = &M0[at(i, 0)];
      for (int k = 0; k < n; k++) {
        const double c = C[at(i, k)];
        for (int j = 0; j < n; j++) row[j] += c * A[at(k, j)];
      }
      row[i] -= 1;
      for (int j = 0; j < n; j++) row[j] = std::fabs(row[j]) * (1 + 4 * unit);
    }
    stale = false;
  }

  /// The largest box of a fixed shape over which Newton's method surely contracts; where there is none, a small one
  /// that proves.
  ProofStatus find_box() {
    stale = true;
    set_shape();
    double most = INFINITY;
    for (int i = 0; i < n; i++) most = std::min(most, 0.25 * length(i) / (sigma[i] * shape[i]));
    double t = std::min(most, most * 0x1p-6), best = 0;
    ProofStatus status = ProofStatus::no_box;
    std::vector<double> rho(n), kept;
    double kept_contraction = NAN;
    for (int trial = 0; trial < 7; trial++) {
      for (int i = 0; i < n; i++) rho[i] = std::max(t * shape[i], 4 * y[i]);
      const ProofStatus now = krawczyk(rho);
      const double kappa = contraction;
      if (now == ProofStatus::proved && kappa <= 0.25 && t > best)
        best = t, kept = rho, kept_contraction = kappa, status = now;
      if (status != ProofStatus::proved) status = now;
      double next = std::isfinite(kappa) && now != ProofStatus::kink ? t * std::min(64.0, 0.2 / kappa) : t / 64;
      next = std::min(next, most);
      if (best > 0 && next < 1.5 * best) break;
      t = next;
    }
    if (best == 0) {
      // ε-inflation from the smallest box.
      for (int i = 0; i < n; i++) rho[i] = std::max(4 * y[i], 2 * unit * std::fabs(hi[i]) / sigma[i]) + 0x1p-200;
      for (int trial = 0; trial < 4; trial++) {
        status = krawczyk(rho);
        if (status == ProofStatus::proved) {
          kept = rho, kept_contraction = contraction;
          break;
        }
        for (int i = 0; i < n; i++) rho[i] *= 16;
      }
    }
    if (kept.empty()) return status;
    contraction = kept_contraction;
    for (int i = 0; i < n; i++) radii[i] = kept[i] * sigma[i] * (1 - 4 * unit);
    return ProofStatus::proved;
  }

  void set_shape() {
    shape.resize(n);
    for (int i = 0; i < n; i++) {
      double largest = 0;
      for (int j = 0; j < n; j++) largest = std::max(largest, std::fabs(C[at(i, j)]));
      shape[i] = std::sqrt(std::max(std::fabs(C[at(i, i)]), 0.1 * largest));
    }
  }

  /// Inertia of A: with V near its eigenvectors and regular, VᵀAV has the same (Sylvester), and Gershgorin's discs of
  /// that are far from 0.
  bool count_negative() {
    Matrix d = A, v;
    jacobi(d, n, v);
    Matrix AV(A.size()), absolute(A.size());
    for (int i = 0; i < n; i++)
      for (int j = 0; j < n; j++) {
        double sum = 0, size = 0;
        for (int k = 0; k < n; k++) sum += A[at(i, k)] * v[at(k, j)], size += std::fabs(A[at(i, k)] * v[at(k, j)]);
        AV[at(i, j)] = sum, absolute[at(i, j)] = size;
      }
    const double gamma = (n + 3) * 2 * unit;
    negative = 0;
    for (int i = 0; i < n; i++) {
      double center = 0, radius = 0, skew = 0;
      for (int j = 0; j < n; j++) {
        double sum = 0, size = 0, product = 0, length2 = 0;
        for (int k = 0; k < n; k++) {
          sum += v[at(k, i)] * AV[at(k, j)], size += std::fabs(v[at(k, i)]) * absolute[at(k, j)];
          product += v[at(k, i)] * v[at(k, j)], length2 += std::fabs(v[at(k, i)] * v[at(k, j)]);
        }
        if (i == j) center = sum;
        else radius += std::fabs(sum);
        radius += 2 * gamma * size;
        skew += std::fabs(product - (i == j ? 1 : 0)) + gamma * length2;
      }
      if (!(skew < 0.5) || !(std::fabs(center) > radius * bound())) return false;
      if (center < 0) negative++;
    }
    return true;
  }

  /// hi + lo rounded to a double: first to 2⁻¹⁰ units of the last place, then to nearest, ties to even, so that numbers
  /// that are halfway by their nature give one result; and to 0 below 2⁻⁶⁰ of the parameter's scale. False where the
  /// error bound leaves it open.
  bool rounded(int i, double error, double* out) const {
    const double floor = 0x1p-60 * p.scale[i];
    if (std::fabs(hi[i]) < floor) {
      *out = 0;
      return std::fabs(hi[i]) + error < floor;
    }
    int exponent;
    std::frexp(hi[i], &exponent);
    const double place = std::ldexp(1.0, exponent - 53), grain = place * 0x1p-10;
    *out = hi[i] + std::nearbyint(lo[i] / grain) * grain;
    if (!(std::fabs(hi[i]) - error >= floor) || !(error < 0.25 * grain)) return false;
    return std::fabs(std::fabs(lo[i]) - 0.5 * (place - grain)) > error;
  }

  /// 1/(‖B‖ ‖B⁻¹‖) in the row-sum norm, B = H in units of the columns' rms: at most the smallest eigenvalue of B by its
  /// largest.
  double condition() const {
    double size = 0, inverse = 0;
    for (int i = 0; i < n; i++) {
      double rows = 0, columns = 0;
      for (int j = 0; j < n; j++) {
        const double unit_of = p.scale[i] * p.scale[j] / (sigma[i] * sigma[j]);
        rows += std::fabs(A[at(i, j)]) * unit_of, columns += std::fabs(C[at(i, j)]) / unit_of;
      }
      size = std::max(size, rows), inverse = std::max(inverse, columns);
    }
    return 1 / (size * inverse);
  }

  void write(ProofStatus status, size_t r, const Proofs& out) {
    const bool found = status != ProofStatus::not_finite && std::isfinite(y[0]);
    bool all = found;
    double error = 0, radius = INFINITY;
    double* point = out.rounded + r * n;
    for (int i = 0; i < n; i++) {
      // A zero of g lies within y/(1 − κ), κ ≤ ½.
      const double e = 2 * y[i] * sigma[i];
      out.hi[r * n + i] = hi[i], out.lo[r * n + i] = lo[i], out.radii[r * n + i] = radii[i];
      all = rounded(i, e, point + i) && all;
      error = std::max(error, e), radius = std::min(radius, radii[i]);
    }
    double* numbers = out.numbers + r * manystart::proof_numbers;
    numbers[manystart::proof_status] = double(int(status));
    numbers[manystart::proof_index] = negative;
    numbers[manystart::proof_radius] = status == ProofStatus::proved ? radius : 0;
    numbers[manystart::proof_error] = error;
    numbers[manystart::proof_contraction] = contraction;
    numbers[manystart::proof_rounded] = all;
    numbers[manystart::proof_loss] = numbers[manystart::proof_gradient] = NAN;
    numbers[manystart::proof_condition] = found ? condition() : 0;
    if (!found) return;
    for (int i = 0; i < n; i++) ball_point[i] = ball(point[i]);
    exact.evaluate(ball_point);
    numbers[manystart::proof_loss] = exact.f.hi[0];
    double largest = 0;
    for (int i = 0; i < n; i++) largest = std::max(largest, std::fabs(exact.g[i].hi[0]));
    numbers[manystart::proof_gradient] = largest;
  }
};

}  // namespace MS_TARGET
