// What a problem computes for one lane group, whichever kind of model it has: a network of the family, or a formula.
#pragma once

#include <memory>

#include "network.h"

namespace MS_TARGET {

/// Scratch memory of one thread for one problem.
template <class T>
struct ModelWorkspace {
  std::unique_ptr<Workspace<T>> network;
  std::unique_ptr<FormulaScratch<T>> formula;

  ModelWorkspace(const Problem<T>& p, bool hessian) {
    if (p.formula) formula = std::make_unique<FormulaScratch<T>>(p);
    else network = std::make_unique<Workspace<T>>(p, hessian);
  }
  /// Rows of a tile, rows of the tile at hand, and its outputs [C][cap][L].
  int cap() const { return formula ? formula->cap : network->cap; }
  int rows() const { return formula ? formula->rows : network->rows; }
  const T* z() const { return formula ? formula->z.get() : network->z.get(); }
};

template <class T>
struct Model {
  static void evaluate(const Problem<T>& p, const T* theta, T* f, T* g, T* H, ModelWorkspace<T>& w) {
    if (p.formula) FormulaModel<T>::evaluate(p, theta, f, g, H, *w.formula);
    else {
      w.network->own = nullptr;
      Network<T>::evaluate(p, theta, f, g, H, *w.network);
    }
  }
  /// Over mini-batches.
  static void evaluate_rows(const Problem<T>& p, const T* theta, LaneRows<T> batch, T* f, T* g, ModelWorkspace<T>& w) {
    if (p.formula) return FormulaModel<T>::evaluate_rows(p, theta, batch, f, g, nullptr, *w.formula);
    w.network->own = batch.own;
    Network<T>::evaluate_rows(p, theta, batch, f, g, *w.network);
  }
  /// Over all rows, whose shares differ between lanes: `all.own`.
  static void evaluate_own(const Problem<T>& p, const T* theta, LaneRows<T> all, T* f, T* g, T* H,
                           ModelWorkspace<T>& w) {
    if (p.formula) return FormulaModel<T>::evaluate_own(p, theta, all, f, g, H, *w.formula);
    w.network->own = all.own, w.network->times = all.times;
    Network<T>::evaluate(p, theta, f, g, H, *w.network);
  }
  static void predict(const Problem<T>& p, const T* theta, ModelWorkspace<T>& w, int r0) {
    if (p.formula) FormulaModel<T>::predict(p, theta, *w.formula, r0);
    else Network<T>::predict(p, theta, *w.network, r0);
  }
};

}  // namespace MS_TARGET
