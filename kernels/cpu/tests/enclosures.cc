// Enclosures of every instruction set that this processor has against exact arithmetic: a hundred thousand seeded
// intervals and as many balls for each operation, of all sizes, signs and widths. Sums, products and quotients are held
// against rationals (GMP), other functions against numbers of 400 bits rounded outwards (MPFR). An argument says
// another number of cases.
//
// Of an interval both ends, a point inside and the extrema inside are looked at, of a ball a random point. What comes
// out must hold them, hold nothing where the function is not defined, be numbers all over the domain, and be no wider
// than some units of the last place; nothing comes out of NaN.
#include <atomic>
#include <cstdlib>
#include <cstring>
#include <mutex>
#include <thread>

#include "../instruction_sets.h"
#include "enclosed_functions.h"

using namespace manystart;

namespace {

constexpr double infinity = std::numeric_limits<double>::infinity(), none = std::numeric_limits<double>::quiet_NaN();

/// hi + lo ± rad
struct Ball {
  double hi, lo, rad;
};

/// Doubles of a seeded generator, mostly from the range of a group.
class Numbers {
 public:
  Numbers(uint64_t seed, const Range& range) : draws_(seed), range_(range) {}

  bool chance(double p) { return draws_.uniform(0, 1) < p; }
  double uniform(double low, double high) { return draws_.uniform(low, high); }

  double number() {
    const double kind = uniform(0, 1);
    if (kind < 0.7) return sign() * std::exp2(uniform(range_.from, range_.to)) * uniform(0.5, 1);
    if (kind < 0.75 && !range_.points.empty()) return near(range_.points[draws_.next() % range_.points.size()]);
    if (kind < 0.79) return special[draws_.next() % std::size(special)];
    // Of any size: bits at will; a fifth of these below the smallest normal number.
    const bool below = chance(0.2);
    for (;;) {
      uint64_t bits = uint64_t(draws_.next()) << 32 | draws_.next();
      if (below) bits &= 0x800fffffffffffffu;
      double x;
      std::memcpy(&x, &bits, sizeof x);
      if (std::isfinite(x)) return range_.positive && chance(0.9) ? std::fabs(x) : x;
    }
  }
  Interval interval() {
    const double x = number(), kind = uniform(0, 1);
    if (kind < 0.2) return {x, x};
    if (kind < 0.4) return {x, std::nextafter(x, infinity)};
    if (kind < 0.65) return ordered(x, x * (1 + std::exp2(uniform(-52, 0))));
    if (kind < 0.75) return ordered(-std::fabs(x), std::fabs(number()));
    if (kind < 0.8) return ordered(x, 0);
    if (kind < 0.81) return chance(0.5) ? Interval{x, infinity} : Interval{-infinity, x};
    return ordered(x, number());
  }
  Ball ball() {
    const double hi = number(), lo = chance(0.3) ? 0 : hi * 0x1p-54 * uniform(-1, 1);
    return {hi, hi + lo == hi ? lo : 0, chance(0.5) ? 0 : std::fabs(hi) * std::exp2(uniform(-100, -20))};
  }
  /// A finite number of the interval.
  double inside(const Interval& a) {
    if (std::isinf(a.lo) || std::isinf(a.hi)) {
      const double x = number();
      return std::isinf(a.hi) ? std::max(a.lo, x) : std::min(a.hi, x);
    }
    const double part = uniform(0, 1);
    return std::min(a.hi, std::max(a.lo, a.lo * (1 - part) + a.hi * part));
  }

 private:
  static constexpr double special[] = {
      0,   -0.0, 1, -1, 2, 0.5, 0x1p-1074, -0x1p-1074, 0x1p-1022, 0x1.fffffffffffffp1023, -0x1.fffffffffffffp1023,
      700, -700};
  Draws draws_;
  const Range& range_;

  double sign() { return range_.positive || chance(0.5) ? 1 : -1; }
  double near(double x) {
    return x + (chance(0.2) ? 0 : sign() * std::exp2(uniform(-70, -5)) * std::max(1.0, std::fabs(x)));
  }
  static Interval ordered(double a, double b) {
    if (!std::isfinite(b)) b = a;
    return {std::min(a, b), std::max(a, b)};
  }
};

bool same(double a, double b) { return a == b || (std::isnan(a) && std::isnan(b)); }
bool same(const Interval& a, const Interval& b) { return same(a.lo, b.lo) && same(a.hi, b.hi); }
bool same(const Ball& a, const Ball& b) { return same(a.hi, b.hi) && same(a.lo, b.lo) && same(a.rad, b.rad); }

/// What the targets make of the same arguments.
template <class T>
struct Results {
  std::vector<std::vector<T>> by_target;

  /// Each distinct result of case i.
  template <class F>
  void each(size_t i, F&& f) {
    for (size_t t = 0; t < by_target.size(); t++) {
      bool seen = false;
      for (size_t s = 0; s < t && !seen; s++) seen = same(by_target[s][i], by_target[t][i]);
      if (!seen) f(t, by_target[t][i]);
    }
  }
};

std::string hex(std::initializer_list<double> list) {
  std::string out;
  char one[40];
  for (const double x : list) std::snprintf(one, sizeof one, " %a", x), out += one;
  return out;
}

std::vector<const Target*> usable() {
  std::vector<const Target*> out;
  for (const Target& t : targets())
    if (t.usable) out.push_back(&t);
  return out;
}

template <class Value>
class Trial {
 public:
  /// A piece of the trial of a group has numbers of its own.
  Trial(const Group<Value>& group, size_t count, size_t piece, std::vector<std::string>& faults)
      : group_(group), count_(count), faults_(faults),
        numbers_(uint64_t(piece) << 32 | (1 + group.functions[0].number), group.range) {}

  size_t run() {
    intervals();
    balls();
    nothing_from_nan();
    return held_;
  }

 private:
  const Group<Value>& group_;
  const size_t count_;
  std::vector<std::string>& faults_;
  Numbers numbers_;
  size_t held_ = 0;

  void that(bool holds, const Target& target, const Function& f, const char* what, std::initializer_list<double> list) {
    if (holds) held_++;
    else faults_.push_back(std::string(target.id) + " " + f.name + ": " + what + hex(list));
  }

  void intervals() {
    std::vector<Interval> a(count_), b(count_);
    for (size_t i = 0; i < count_; i++)
      a[i] = numbers_.interval(), b[i] = group_.two ? numbers_.interval() : Interval{0, 0};
    const auto all = usable();
    // [function][target][case]
    std::vector<Results<Interval>> out(group_.functions.size());
    for (size_t k = 0; k < out.size(); k++)
      for (const Target* target : all) out[k].by_target.push_back(enclose(*target, group_.functions[k], a, b));
    for (size_t i = 0; i < count_; i++) one_interval(all, out, i, a[i], b[i]);
  }

  std::vector<Interval> enclose(const Target& target, const Function& f, const std::vector<Interval>& a,
                                const std::vector<Interval>& b) {
    const size_t n = a.size();
    std::vector<double> ends(6 * n);
    double *alo = &ends[0], *ahi = alo + n, *blo = ahi + n, *bhi = blo + n, *lo = bhi + n, *hi = lo + n;
    for (size_t i = 0; i < n; i++) alo[i] = a[i].lo, ahi[i] = a[i].hi, blo[i] = b[i].lo, bhi[i] = b[i].hi;
    target.prover->enclose(f.number, n, alo, ahi, group_.two ? blo : nullptr, group_.two ? bhi : nullptr, lo, hi);
    std::vector<Interval> out(n);
    for (size_t i = 0; i < n; i++) out[i] = {lo[i], hi[i]};
    return out;
  }
  std::vector<Ball> enclose(const Target& target, const Function& f, const std::vector<Ball>& a,
                            const std::vector<Ball>& b) {
    std::vector<Ball> out(a.size());
    target.prover->enclose_balls(f.number, a.size(), &a[0].hi, group_.two ? &b[0].hi : nullptr, &out[0].hi);
    return out;
  }

  void one_interval(const std::vector<const Target*>& all, std::vector<Results<Interval>>& out, size_t i,
                    const Interval& a, const Interval& b) {
    bool anything = false;
    for (auto& results : out) {
      const Function& f = group_.functions[&results - &out[0]];
      const bool must = f.domain(a, b);
      results.each(i, [&](size_t t, const Interval& r) {
        const bool numbers = std::isfinite(r.lo) && std::isfinite(r.hi);
        anything = anything || !std::isnan(r.lo) || !std::isnan(r.hi);
        that(numbers || !must, *all[t], f, "no numbers", {a.lo, a.hi, b.lo, b.hi, r.lo, r.hi});
        that(!(r.lo > r.hi), *all[t], f, "ends the wrong way round", {a.lo, a.hi, b.lo, b.hi, r.lo, r.hi});
      });
    }
    if (!anything) return;
    std::vector<std::pair<double, double>> points{{numbers_.inside(a), numbers_.inside(b)}};
    for (const double x : {a.lo, a.hi})
      for (const double y : {b.lo, b.hi}) {
        if (std::isinf(x) || std::isinf(y)) continue;
        if (points.size() == 1 || points.back() != std::make_pair(x, y)) points.emplace_back(x, y);
      }
    for (const double x : group_.range.extrema(a)) points.emplace_back(x, b.lo);
    std::vector<std::vector<Value>> values;
    values.reserve(points.size());
    for (const auto& [x, y] : points) values.push_back(group_.at(Value(x), Value(y)));
    for (size_t k = 0; k < out.size(); k++) {
      const Function& f = group_.functions[k];
      bool defined = true;
      for (const auto& v : values) defined = defined && is_defined(v[k]);
      const bool tight = defined && f.tight(a, b);
      out[k].each(i, [&](size_t t, const Interval& r) {
        const auto say = [&](bool holds, const char* what) {
          that(holds, *all[t], f, what, {a.lo, a.hi, b.lo, b.hi, r.lo, r.hi});
        };
        say(defined || !(std::isfinite(r.lo) && std::isfinite(r.hi)), "numbers where it is not defined");
        double least = infinity, most = -infinity;
        for (const auto& v : values) {
          if (!is_defined(v[k])) continue;
          if (!std::isnan(r.lo)) say(is_above(v[k], r.lo), "a value below");
          if (!std::isnan(r.hi)) say(is_below(v[k], r.hi), "a value above");
          const double size = nearest(v[k]);
          least = std::min(least, size), most = std::max(most, size);
        }
        const double room = f.floor(std::max(std::fabs(a.lo), std::fabs(a.hi)));
        // Four roundings, and the outward step of two places after each, are below 2^−49 of the end.
        if (tight)
          say(least - r.lo <= std::fabs(least) * 0x1p-49 + room && r.hi - most <= std::fabs(most) * 0x1p-49 + room,
              "wide");
      });
    }
  }

  void balls() {
    std::vector<Ball> a(count_), b(count_);
    for (size_t i = 0; i < count_; i++) a[i] = numbers_.ball(), b[i] = group_.two ? numbers_.ball() : Ball{0, 0, 0};
    const auto all = usable();
    std::vector<Results<Ball>> out(group_.functions.size());
    for (size_t k = 0; k < out.size(); k++)
      for (const Target* target : all) out[k].by_target.push_back(enclose(*target, group_.functions[k], a, b));
    for (size_t i = 0; i < count_; i++) one_ball(all, out, i, a[i], b[i]);
  }

  void one_ball(const std::vector<const Target*>& all, std::vector<Results<Ball>>& out, size_t i, const Ball& a,
                const Ball& b) {
    const Interval around_a = {a.hi - 2 * a.rad, a.hi + 2 * a.rad, a.rad},
                   around_b = {b.hi - 2 * b.rad, b.hi + 2 * b.rad, b.rad};
    bool anything = false;
    for (size_t k = 0; k < out.size(); k++) {
      const Function& f = group_.functions[k];
      const bool must = f.ball_domain(around_a, around_b);
      out[k].each(i, [&](size_t t, const Ball& r) {
        const bool numbers = std::isfinite(r.hi) && std::isfinite(r.lo) && r.rad >= 0 && std::isfinite(r.rad);
        anything = anything || numbers;
        that(numbers || !must, *all[t], f, "no ball", {a.hi, a.lo, a.rad, b.hi, b.lo, b.rad, r.hi, r.lo, r.rad});
      });
    }
    if (!anything) return;
    const auto part = [&](const Ball& x) { return x.rad * std::max(-1.0, std::min(1.0, numbers_.uniform(-1.2, 1.2))); };
    const auto v = group_.at(Value(a.hi, a.lo, part(a)), Value(b.hi, b.lo, part(b)));
    for (size_t k = 0; k < out.size(); k++) {
      const Function& f = group_.functions[k];
      const bool defined = is_defined(v[k]), points = a.rad == 0 && (!group_.two || b.rad == 0);
      const bool tight = defined && points && f.tight(around_a, around_b) && f.ball_domain(around_a, around_b);
      out[k].each(i, [&](size_t t, const Ball& r) {
        const auto say = [&](bool holds, const char* what) {
          that(holds, *all[t], f, what, {a.hi, a.lo, a.rad, b.hi, b.lo, b.rad, r.hi, r.lo, r.rad});
        };
        // Nothing lies in a ball of which a part is no number, or all.
        if (std::isnan(r.hi + r.lo + r.rad) || std::isinf(r.rad)) return;
        say(defined, "a ball where it is not defined");
        if (!defined) return;
        say(is_above(v[k], r.hi, r.lo, -r.rad) && is_below(v[k], r.hi, r.lo, r.rad), "a value outside of the ball");
        // Some hundred operations of 8 · 2^−106 at most.
        if (tight) say(r.rad <= std::fabs(nearest(v[k])) * 0x1p-90 + f.floor(std::fabs(a.hi)), "a wide ball");
      });
    }
  }

  void nothing_from_nan() {
    const size_t n = std::max<size_t>(1, count_ / 20);
    std::vector<Interval> a(n), b(n);
    std::vector<Ball> p(n), q(n);
    for (size_t i = 0; i < n; i++) {
      a[i] = numbers_.interval(), b[i] = numbers_.interval(), p[i] = numbers_.ball(), q[i] = numbers_.ball();
      const bool first = !group_.two || numbers_.chance(0.5);
      Interval& x = first ? a[i] : b[i];
      Ball& y = first ? p[i] : q[i];
      const double kind = numbers_.uniform(0, 1);
      if (kind < 0.7) x.lo = none;
      if (kind > 0.3) x.hi = none;
      (kind < 0.3 ? y.hi : kind < 0.6 ? y.lo : y.rad) = none;
    }
    for (const Target* target : usable())
      for (const Function& f : group_.functions) {
        const auto r = enclose(*target, f, a, b);
        const auto s = enclose(*target, f, p, q);
        for (size_t i = 0; i < n; i++) {
          that(std::isnan(r[i].lo) || std::isnan(r[i].hi), *target, f, "an interval from NaN",
               {a[i].lo, a[i].hi, b[i].lo, b[i].hi, r[i].lo, r[i].hi});
          that(std::isnan(s[i].hi + s[i].lo + s[i].rad), *target, f, "a ball from NaN",
               {p[i].hi, p[i].lo, p[i].rad, q[i].hi, q[i].lo, q[i].rad, s[i].hi, s[i].lo, s[i].rad});
        }
      }
  }
};

/// What came out for a group, over all pieces.
struct Outcome {
  size_t held = 0;
  std::vector<std::string> faults;
};

std::string told(const std::vector<Function>& functions, const Outcome& outcome) {
  std::string out;
  for (const Function& f : functions) out += (out.empty() ? "" : ", ") + f.name;
  out += ": " + std::to_string(outcome.held) + " hold, " + std::to_string(outcome.faults.size()) + " do not\n";
  for (size_t i = 0; i < std::min<size_t>(20, outcome.faults.size()); i++)
    out += "  does not hold: " + outcome.faults[i] + "\n";
  return out;
}

}  // namespace

int main(int argc, char** argv) {
  const size_t count = argc > 1 ? std::strtoull(argv[1], nullptr, 10) : 100000;
  const auto rational = arithmetic();
  const auto others = functions();
  // Groups take very different times: pieces of them keep every thread busy to the end.
  const size_t groups = 1 + others.size(), pieces = std::max<size_t>(1, std::min<size_t>(count / 100, 50));
  std::vector<Outcome> outcomes(groups);
  std::mutex mutex;
  std::atomic<size_t> next = 0;
  const auto work = [&] {
    // Tails far out are far below what exponents hold at first.
    mpfr_set_emin(mpfr_get_emin_min()), mpfr_set_emax(mpfr_get_emax_max());
    for (size_t k; (k = next++) < groups * pieces;) {
      const size_t group = k / pieces, piece = k % pieces;
      const size_t size = count * (piece + 1) / pieces - count * piece / pieces;
      std::vector<std::string> faults;
      const size_t held =
          group == 0 ? Trial(rational, size, piece, faults).run() : Trial(others[group - 1], size, piece, faults).run();
      const std::lock_guard lock(mutex);
      outcomes[group].held += held;
      outcomes[group].faults.insert(outcomes[group].faults.end(), faults.begin(), faults.end());
    }
    mpfr_free_cache();
  };
  std::vector<std::thread> threads(std::max(1u, std::thread::hardware_concurrency()));
  for (auto& thread : threads) thread = std::thread(work);
  for (auto& thread : threads) thread.join();
  for (const Target* target : usable()) std::printf("%s ", target->id);
  std::printf("with %zu intervals and balls each\n", count);
  bool all_hold = true;
  for (size_t group = 0; group < groups; group++) {
    all_hold = all_hold && outcomes[group].faults.empty();
    std::fputs(told(group == 0 ? rational.functions : others[group - 1].functions, outcomes[group]).c_str(), stdout);
  }
  return !all_hold;
}
