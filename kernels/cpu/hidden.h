// The part of class Network for one hidden layer and one output, without a Hessian (included inside its body): the general
// passes fused, so that each activation is written once and read once. Sums run in the same order as in the general ones.

/// Whether the fused passes apply.
static bool fused(const Problem<T>& p, const Workspace<T>& w) {
  return p.layers.size() == 2 && p.d.outputs == 1 && p.d.loss != Loss::softmax && !w.second;
}

/// φ and φ′ of UNITS neighbouring units on U registers of rows from register `from` on, in place; their share of the output.
template <Activation A, int UNITS, int U>
MS_INLINE void activate_units(T* a, T* d1, const T* weights, T* z, size_t tile, size_t from) {
  Pack<T, UNITS * U> u, value, first, second;
  const size_t at = from * W<T>;
#pragma GCC unroll 2
  for (int j = 0; j < UNITS; j++)
    MS_EACH u.v[j * U + k] = load(a + j * tile + at + k * W<T>);
  activation_terms<T, A, UNITS * U>(u, value, first, second);
#pragma GCC unroll 2
  for (int j = 0; j < UNITS; j++)
    MS_EACH {
      store(a + j * tile + at + k * W<T>, value.v[j * U + k]);
      store(d1 + j * tile + at + k * W<T>, first.v[j * U + k]);
    }
  MS_EACH {
    T* out = z + at + k * W<T>;
    Vec<T> sum = load(out);
#pragma GCC unroll 2
    for (int j = 0; j < UNITS; j++)
      sum = fma(value.v[j * U + k], load(weights + j * L + (from + k) % VPL<T> * W<T>), sum);
    store(out, sum);
  }
}

template <Activation A, int UNITS>
static void activate_tile(T* a, T* d1, const T* weights, T* z, size_t tile, size_t registers) {
  constexpr int U = PACK / UNITS, rest = VPL<T> < U ? VPL<T> : U;
  size_t i = 0;
  for (; i + U <= registers; i += U) activate_units<A, UNITS, U>(a, d1, weights, z, tile, i);
  for (; i < registers; i += rest) activate_units<A, UNITS, rest>(a, d1, weights, z, tile, i);
}

/// u of two neighbouring units on NB rows: a number of x serves both.
template <int NB>
static void forward_pair(const T* x, int S, const T* weights, T* u, size_t tile) {
  for (int v0 = 0; v0 < VPL<T>; v0 += VB) {
    Vec<T> acc[2][NB][VB] = {};
    for (int s = 0; s < S; s++) {
      Vec<T> q[2][VB];
#pragma GCC unroll 4
      for (int v = 0; v < VB; v++) {
        q[0][v] = load(weights + size_t(s) * L + (v0 + v) * W<T>);
        q[1][v] = load(weights + size_t(S + s) * L + (v0 + v) * W<T>);
      }
#pragma GCC unroll 16
      for (int n = 0; n < NB; n++) {
        const Vec<T> b = broadcast(x[n * ptrdiff_t(S) + s]);
#pragma GCC unroll 2
        for (int j = 0; j < 2; j++)
#pragma GCC unroll 4
          for (int v = 0; v < VB; v++) acc[j][n][v] = fma(b, q[j][v], acc[j][n][v]);
      }
    }
#pragma GCC unroll 2
    for (int j = 0; j < 2; j++)
#pragma GCC unroll 16
      for (int n = 0; n < NB; n++)
#pragma GCC unroll 4
        for (int v = 0; v < VB; v++) store(u + j * tile + size_t(n) * L + (v0 + v) * W<T>, acc[j][n][v]);
  }
}

template <int NB>
static void forward_pairs(int rows, const T* x, int S, const T* weights, T* u, size_t tile) {
  for (; rows >= NB; rows -= NB, x += size_t(NB) * S, u += NB * L) forward_pair<NB>(x, S, weights, u, tile);
  if constexpr (NB > 1) {
    if (rows > 0) forward_pairs<NB - 1>(rows, x, S, weights, u, tile);
  }
}

template <Activation A>
static void fused_forward(const Problem<T>& p, const T* theta, Workspace<T>& w) {
  const Layer &hidden = p.layers[0], &last = p.layers[1];
  const int extra = p.d.bias ? 1 : 0;
  const size_t tile = size_t(w.cap) * L, registers = size_t(w.rows) * VPL<T>;
  for (size_t i = 0; i < registers; i++)
    store(w.z.get() + i * W<T>, extra ? load(theta + size_t(last.at) * L + i % VPL<T> * W<T>) : Vec<T>{});
  for (int k = 0; k < hidden.units; k += 2) {
    const int units = std::min(2, hidden.units - k);
    T* a = w.act[1].get() + (extra + k) * tile;
    const T* incoming = theta + size_t(hidden.at + k * hidden.stride) * L;
    if (units == 2) forward_pairs<NB_MAX / 2>(w.rows, w.x, p.S, incoming, a, tile);
    else product(Shared<T>{w.x, 1, p.S}, w.rows, incoming, 1, p.S, a, 1, Into::set);
    const T* weights = theta + size_t(last.at + extra + k) * L;
    T* d1 = w.d1[0].get() + k * tile;
    if (units == 2) activate_tile<A, 2>(a, d1, weights, w.z.get(), tile, registers);
    else activate_tile<A, 1>(a, d1, weights, w.z.get(), tile, registers);
  }
}

/// One unit's first NB weights and its weight to the output: g += Σ_rows δ x, g_out += Σ_rows δ_out a, with δ = φ′ w δ_out,
/// which replaces φ′ where further weights need it.
template <int NB>
static void unit_gradient(const Problem<T>& p, const Workspace<T>& w, const T* a, T* d1, const T* above, const T* weight,
                          T* g, T* g_out) {
  const bool keep = p.S > NB;
  for (int v0 = 0; v0 < VPL<T>; v0 += VB) {
    Vec<T> acc[NB][VB], out[VB], to_out[VB];
#pragma GCC unroll 4
    for (int v = 0; v < VB; v++) {
      out[v] = load(g_out + (v0 + v) * W<T>);
      to_out[v] = load(weight + (v0 + v) * W<T>);
#pragma GCC unroll 16
      for (int n = 0; n < NB; n++) acc[n][v] = load(g + n * L + (v0 + v) * W<T>);
    }
    for (int r = 0; r < w.rows; r++) {
      const size_t at = size_t(r) * L + v0 * W<T>;
      Vec<T> delta[VB];
#pragma GCC unroll 4
      for (int v = 0; v < VB; v++) {
        const Vec<T> d = load(above + at + v * W<T>);
        out[v] = fma(load(a + at + v * W<T>), d, out[v]);
        delta[v] = load(d1 + at + v * W<T>) * (to_out[v] * d);
        if (keep) store(d1 + at + v * W<T>, delta[v]);
      }
      const T* x = w.x + size_t(r) * p.S;
#pragma GCC unroll 16
      for (int n = 0; n < NB; n++) {
        const Vec<T> b = broadcast(x[n]);
#pragma GCC unroll 4
        for (int v = 0; v < VB; v++) acc[n][v] = fma(b, delta[v], acc[n][v]);
      }
    }
#pragma GCC unroll 4
    for (int v = 0; v < VB; v++) {
      store(g_out + (v0 + v) * W<T>, out[v]);
#pragma GCC unroll 16
      for (int n = 0; n < NB; n++) store(g + n * L + (v0 + v) * W<T>, acc[n][v]);
    }
  }
}

template <int NB, class... Rest>
static void unit_gradients(int n, const Rest&... rest) {
  if constexpr (NB > 1) {
    if (n < NB) return unit_gradients<NB - 1>(n, rest...);
  }
  unit_gradient<NB>(rest...);
}

static void fused_gradient(const Problem<T>& p, const T* theta, Workspace<T>& w, T* g) {
  const Layer &hidden = p.layers[0], &last = p.layers[1];
  const int extra = p.d.bias ? 1 : 0, first = std::min(p.S, NB_MAX);
  const size_t tile = size_t(w.cap) * L;
  const T* above = w.sensitivity(1);
  if (extra) {
    T* out = g + size_t(last.at) * L;
    product(PerLane<T>{w.act[1].get(), 1, w.cap}, 1, above, 1, w.rows, out, 1, Into::add);
  }
  for (int k = 0; k < hidden.units; k++) {
    const size_t to_out = size_t(last.at + extra + k) * L;
    T* own = g + size_t(hidden.at + k * hidden.stride) * L;
    T* d1 = w.d1[0].get() + k * tile;
    unit_gradients<NB_MAX>(first, p, w, w.act[1].get() + (extra + k) * tile, d1, above, theta + to_out, own, g + to_out);
    if (p.S > first)
      product(Shared<T>{w.x + first, p.S, 1}, p.S - first, d1, 1, w.rows, own + size_t(first) * L, 1, Into::add);
  }
}
