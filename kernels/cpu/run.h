// The run loop of one thread (kernels/README.md, "Update program"): lane groups that are refilled as runs end.
#pragma once

#include "resample.h"
#include "session.h"
#include "vector.h"

namespace MS_TARGET {

using manystart::Block;
using manystart::Philox;
using manystart::RunOptions;
using manystart::Sink;
using manystart::Status;

/// Mini-batches of the lanes of one group.
template <class T>
class Batches {
 public:
  static constexpr int L = LANES<T>;
  Batches(const RunOptions& o, uint32_t rows)
      : philox_(o.batch_seed), shared_(o.shared_order), rows_(rows), size_(std::min(o.batch, rows)),
        per_epoch_((rows + size_ - 1) / size_), order_(size_t(rows) * L), batch_(size_t(size_) * L) {}

  /// Rows of lane l at its step; true when they are the last of an epoch.
  bool prepare(int l, uint64_t start, uint64_t step) {
    const uint64_t at = step % per_epoch_;
    uint32_t* order = order_.data() + size_t(l) * rows_;
    constexpr uint64_t shared_start = (uint64_t(1) << 53) - 1;
    if (at == 0) manystart::shuffle_epoch(philox_, shared_ ? shared_start : start, step / per_epoch_, rows_, order);
    const uint32_t from = uint32_t(at) * size_;
    counts_[l] = std::min(size_, rows_ - from);
    for (uint32_t r = 0; r < counts_[l]; r++) batch_[size_t(r) * L + l] = order[from + r];
    return at == per_epoch_ - 1;
  }
  void none(int l) { counts_[l] = 0; }
  LaneRows<T> rows(const T* own) const { return {batch_.data(), int(size_), counts_, own}; }

 private:
  Philox philox_;
  bool shared_;
  uint32_t rows_, size_;
  uint64_t per_epoch_;
  std::vector<uint32_t> order_, batch_;
  uint32_t counts_[L] = {};
};

template <class T>
class Group {
 public:
  static constexpr int L = LANES<T>;
  Group(const Problem<T>& problem, const Program& program, const std::vector<Segment>& segments,
        const RunOptions& options, Sink& sink, int lanes)
      : problem_(problem), program_(program), options_(options), sink_(sink), lanes_(lanes),
        state_(program, segments, problem), workspace_(problem, program.needs_h), philox_(options.seed),
        start_(problem.P), slice_(problem.S), f_(L) {
    if (options.batch > 0) {
      batches_ = std::make_unique<Batches<T>>(options, uint32_t(problem.d.rows));
      full_g_.resize(size_t(problem.P) * L);
    }
    if (options.own_ridge || options.own_free) {
      for (Aligned<T>* own : {&ridge_, &free_, &held_}) own->resize(size_t(problem.P) * L);
      std::fill(ridge_.get(), ridge_.get() + size_t(problem.P) * L, T(0));
      std::fill(free_.get(), free_.get() + size_t(problem.P) * L, T(1));
    }
    if (options.draw_rows) own_rows_ = std::make_unique<OwnRows<T>>(problem, options.resampling);
    for (int l = 0; l < lanes_; l++) refill(l);
  }

  bool busy() const { return active_ > 0; }

  /// One step of every lane that holds a run.
  void step() {
    bool last[L] = {};
    T* x = state_.vector(slot::x);
    T* g = state_.vector(slot::g);
    T* f = state_.scalar(slot::f);
    // An update moves what is held by rounding, through a basis for one.
    if (options_.own_free)
      for (size_t i = 0; i < size_t(problem_.P) * L; i++)
        if (free_[i] == T(0)) x[i] = held_[i];
    if (batches_) {
      for (int l = 0; l < L; l++) {
        if (on_[l]) last[l] = batches_->prepare(l, drawn(options_.draw_order, l), steps_[l]);
        else batches_->none(l);
      }
      Model<T>::evaluate_rows(problem_, x, batches_->rows(own_rows_ ? own_rows_->share() : nullptr), f, g, workspace_);
    } else {
      evaluate(x, f, g, program_.needs_h ? state_.matrix(slot::H) : nullptr);
    }
    own_terms(x, f, g, program_.needs_h ? state_.matrix(slot::H) : nullptr);
    for (int l = 0; l < L; l++) state_.scalar(slot::step)[l] = T(steps_[l]);
    state_.step();
    sink_.count_lanes(uint64_t(active_), L);
    T* loss = state_.scalar(program_.loss);
    T* norm = state_.scalar(program_.gradient_norm);
    bool tested[L];
    std::fill(tested, tested + L, true);
    if (batches_) test_on_all_rows(last, tested, loss, norm);
    for (int l = 0; l < lanes_; l++) {
      if (!on_[l]) continue;
      steps_[l]++;
      if (options_.trace) trace_[l].insert(trace_[l].end(), {double(loss[l]), double(norm[l])});
      Status status;
      if (!(std::isfinite(loss[l]) && std::isfinite(norm[l]))) status = Status::failed;
      else if (tested[l] && double(norm[l]) <= options_.gradient) status = Status::converged;
      else if (state_.scalar(program_.stalled)[l] != 0) status = Status::stalled;
      else if (steps_[l] >= options_.steps) status = Status::budget;
      else continue;
      deliver(l, double(loss[l]), double(norm[l]), status);
      on_[l] = false;
      active_--;
      refill(l);
    }
  }

 private:
  uint64_t number(int l) const { return options_.first + index_[l]; }
  /// The number that something of lane l's run is drawn by.
  uint64_t drawn(const double* by, int l) const { return by ? uint64_t(by[index_[l]]) : number(l); }

  /// Over all rows of each lane.
  void evaluate(const T* x, T* f, T* g, T* H) {
    if (own_rows_) Model<T>::evaluate_own(problem_, x, own_rows_->rows(), f, g, H, workspace_);
    else Model<T>::evaluate(problem_, x, f, g, H, workspace_);
  }

  /// Adds the runs' own penalties; holds the coordinates that are not free: 0 in g, a row and column of the unit matrix
  /// in H.
  void own_terms(const T* x, T* f, T* g, T* H) {
    if (!options_.own_ridge && !options_.own_free) return;
    const int P = problem_.P;
    for (int p = 0; p < P; p++) MS_LANES {
        const size_t at = size_t(p) * L + l;
        const T ridge = ridge_[at], free = free_[at];
        f[l] = fmas(T(0.5) * ridge * x[at], x[at], f[l]);
        g[at] = free == T(0) ? T(0) : g[at] + ridge * x[at];
        if (!H) continue;
        H[(size_t(p) * P + p) * L + l] += ridge;
        if (free != T(0)) continue;
        for (int q = 0; q < P; q++)
          H[(size_t(p) * P + q) * L + l] = H[(size_t(q) * P + p) * L + l] = p == q ? T(1) : T(0);
      }
  }

  /// Only at the end of an epoch, and of the budget, f and g over all rows take the place of those of the batch.
  void test_on_all_rows(const bool* last, bool* tested, T* loss, T* norm) {
    bool any = false;
    for (int l = 0; l < L; l++) {
      tested[l] = on_[l] && (last[l] || steps_[l] + 1 >= options_.steps);
      any = any || tested[l];
    }
    if (!any) return;
    evaluate(state_.vector(program_.point), f_.get(), full_g_.get(), nullptr);
    own_terms(state_.vector(program_.point), f_.get(), full_g_.get(), nullptr);
    for (int l = 0; l < L; l++) {
      if (!tested[l]) continue;
      loss[l] = f_[l];
      T largest = 0;
      for (int p = 0; p < problem_.P; p++) {
        const T a = std::abs(full_g_[size_t(p) * L + l]);
        largest = a <= largest || largest != largest ? largest : a;
      }
      norm[l] = largest;
    }
  }

  void refill(int l) {
    uint64_t index;
    if (!sink_.next(index)) {
      state_.leave(l);
      return;
    }
    index_[l] = index;
    steps_[l] = 0;
    on_[l] = true;
    active_++;
    trace_[l].clear();
    bring(l, index);
    if (options_.given) {
      state_.enter(l, options_.given + index * problem_.P);
      enter_inputs(l, index);
      return;
    }
    manystart::start_point(philox_, drawn(options_.draw_start, l), options_.normal, options_.scale.data(), problem_.P,
                           start_.data());
    if (!options_.map.first.empty())
      manystart::apply_map(options_.map, problem_.layers, problem_.d.bias, start_.data(), slice_.data());
    state_.enter(l, start_.data());
    enter_inputs(l, index);
  }

  /// The run's own rows, penalty and free coordinates take their places in lane l.
  void bring(int l, uint64_t index) {
    const size_t P = problem_.P;
    if (own_rows_) own_rows_->draw(l, options_.draw_rows[index]);
    for (size_t p = 0; p < P; p++) {
      if (options_.own_ridge) ridge_[p * L + l] = T(options_.own_ridge[index * P + p]);
      if (options_.own_free) free_[p * L + l] = T(options_.own_free[index * P + p] != 0);
    }
  }
  void enter_inputs(int l, uint64_t index) {
    const size_t P = problem_.P;
    if (options_.own_free)
      for (size_t p = 0; p < P; p++) held_[p * L + l] = state_.vector(slot::x)[p * L + l];
    for (const auto& [input, values] : options_.inputs) {
      if (input < 0) state_.scalar(-1 - input)[l] = T(values[index]);
      else
        for (size_t p = 0; p < P; p++) state_.vector(input)[p * L + l] = T(values[index * P + p]);
    }
  }

  void deliver(int l, double loss, double norm, Status status) {
    const T* point = state_.vector(program_.point);
    sink_.append([&](Block& b) {
      b.start.push_back(double(number(l)));
      for (int p = 0; p < problem_.P; p++) b.theta.push_back(double(point[size_t(p) * L + l]));
      b.loss.push_back(loss);
      b.gradient_norm.push_back(norm);
      b.steps.push_back(uint32_t(steps_[l]));
      b.status.push_back(uint8_t(status));
      for (int s : program_.report) b.report.push_back(double(state_.scalar(s)[l]));
      if (options_.trace) b.traces.push_back(trace_[l]);
    });
  }

  const Problem<T>& problem_;
  const Program& program_;
  const RunOptions& options_;
  Sink& sink_;
  const int lanes_;
  State<T> state_;
  ModelWorkspace<T> workspace_;
  Philox philox_;
  std::vector<double> start_, slice_;
  Aligned<T> f_, full_g_, ridge_, free_, held_;
  std::unique_ptr<Batches<T>> batches_;
  std::unique_ptr<OwnRows<T>> own_rows_;
  uint64_t index_[L] = {}, steps_[L] = {};
  bool on_[L] = {};
  int active_ = 0;
  std::vector<double> trace_[L];
};

/// Runs starts until none are left; `share` lanes are this thread's.
template <class T>
void run_thread(const Problem<T>& problem, const Program& program, const RunOptions& options, Sink& sink,
                uint64_t share) {
  const auto segments = segments_of(program);
  std::vector<std::unique_ptr<Group<T>>> groups;
  for (uint64_t done = 0; done < share; done += LANES<T>) {
    const int lanes = int(std::min<uint64_t>(LANES<T>, share - done));
    groups.push_back(std::make_unique<Group<T>>(problem, program, segments, options, sink, lanes));
    if (!groups.back()->busy()) break;
  }
  for (bool any = true; any && !sink.aborted();) {
    any = false;
    for (auto& group : groups) {
      if (!group->busy()) continue;
      group->step();
      any = any || group->busy();
    }
  }
}

}  // namespace MS_TARGET
