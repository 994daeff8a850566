// φ, φ′ and φ″ of the hidden activation (twin: src/models/activations.ts).
#include math.wgsl

struct Activated {
  value: f32,
  first: f32,
  second: f32,
}

fn activate(u: f32) -> Activated {
#if activation_tanh
  // With e = e^(−2|u|): (1 − e)/(1 + e), near 0 by u + u³ p(u²) (minimax for |u| ≤ 0.35, 2e-9), and 4e/(1 + e)², which keeps its
  // digits in the tails.
  let e = exp2(max(abs(u) * -2.88539, -150.0));
  let d = keepNan(1.0 / (1.0 + e), u);
  let s = u * u;
  let p = fma(fma(fma(0.019425374, s, -0.053723674), s, 0.13332357), s, -0.33333322);
  let far = (1.0 - e) * d;
  let value = select(select(far, -far, u < 0.0), fma(u * s, p, u), abs(u) < 0.35);
  let first = e * ((d + d) * (d + d));
  return Activated(value, first, -2.0 * value * first);
#end
#if activation_logistic
  let s = sigmoid(u);
  let first = s.up * s.down;
  return Activated(s.up, first, first * (s.down - s.up));
#end
#if activation_softplus
  let s = sigmoid(u);
  return Activated(keepNan(max(u, 0.0) + log1pUnit(s.e), u), s.up, s.up * s.down);
#end
#if activation_relu
  return Activated(keepNan(max(u, 0.0), u), select(0.0, 1.0, u > 0.0), 0.0);
#end
#if activation_identity
  return Activated(u, 1.0, 0.0);
#end
}
