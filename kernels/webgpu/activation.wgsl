// φ, φ′ and φ″ of the hidden activation (twin: src/models/activations.ts).
#include math.wgsl

struct Activated {
  value: f32,
  first: f32,
  second: f32,
}

fn activate(u: f32) -> Activated {
#if activation_tanh
  let t = hyperbolicTangent(u);
  return Activated(t.value, t.slope, -2.0 * t.value * t.slope);
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
#if activation_sin
  let a = angle(u);
  return Activated(a.sine, a.cosine, -a.sine);
#end
#if activation_gelu
  // u Φ(u)
  let t = abs(u);
  let x = t * 0.70710678;
  let gauss = expNegative(-0.5 * (t * t));
  let safe = max(x, 1.0);
  let tail = gauss * select((1.0 - erfcFar(safe)) / (1.77245385 * safe), erfcMiddle(min(x, 4.0)), x <= 4.0);
  let lower = 0.5 * select(tail, 1.0 - erfNear(x), x <= 0.46875);
  let cdf = select(1.0 - lower, lower, u < 0.0);
  let density = 0.39894228 * gauss;
  return Activated(keepNan(u * cdf, u), keepNan(cdf + u * density, u), keepNan(density * (2.0 - u * u), u));
#end
#if activation_identity
  return Activated(u, 1.0, 0.0);
#end
}
