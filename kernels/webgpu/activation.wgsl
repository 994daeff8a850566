// φ, φ′ and φ″ of the hidden activation (twin: src/models/activations.ts).
#include math.wgsl

struct Activated {
  value: F,
  first: F,
  second: F,
}

fn activate(u: F) -> Activated {
#if activation_tanh
  // Both e − 1 and 4e/(1+e)², e = e^(−2|u|), keep their digits near 0 and in the tails.
  let x = F(-2.0) * abs(u);
  let less = expm1Negative(x);
  let d = F(1.0) / (less + F(2.0));
  let size = -less * d;
  let value = keepNan(select(size, -size, u < F(0.0)), u);
  let first = keepNan(expNegative(x) * (F(4.0) * d * d), u);
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
