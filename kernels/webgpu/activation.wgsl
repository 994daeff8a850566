// φ, φ′ and φ″ of the hidden activation (twin: src/models/activations.ts).
#include math.wgsl

struct Activated {
  value: F,
  first: F,
  second: F,
}

fn activate(u: F) -> Activated {
#if activation_tanh
  // With e = e^(−2|u|): (1 − e)/(1 + e), near 0 by u + u³ p(u²) (minimax for |u| ≤ 0.35, 2e-9), and 4e/(1 + e)², which keeps its
  // digits in the tails.
  let e = exp2(max(abs(u) * F(-2.88539), F(-150.0)));
  let d = keepNan(F(1.0) / (F(1.0) + e), u);
  let s = u * u;
  let p = fma(fma(fma(F(0.019425374), s, F(-0.053723674)), s, F(0.13332357)), s, F(-0.33333322));
  let far = (F(1.0) - e) * d;
  let value = select(select(far, -far, u < F(0.0)), fma(u * s, p, u), abs(u) < F(0.35));
  let first = e * ((d + d) * (d + d));
  return Activated(value, first, F(-2.0) * value * first);
#end
#if activation_logistic
  let s = sigmoid(u);
  let first = s.up * s.down;
  return Activated(s.up, first, first * (s.down - s.up));
#end
#if activation_softplus
  let s = sigmoid(u);
  return Activated(keepNan(max(u, F(0.0)) + log1pUnit(s.e), u), s.up, s.up * s.down);
#end
#if activation_relu
  return Activated(keepNan(max(u, F(0.0)), u), select(F(0.0), F(1.0), u > F(0.0)), F(0.0));
#end
#if activation_identity
  return Activated(u, F(1.0), F(0.0));
#end
}
