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
#if activation_sin
  // u less a multiple of π/2 in three parts, and the series of both functions for |r| ≤ π/4: the builtins promise less.
  let turns = round(u * 0.63661977);
  let r = fma(turns, -7.549789948768648e-8, fma(turns, -4.837512969970703e-4, fma(turns, -1.5703125, u)));
  let s = r * r;
  let sine = fma(r * s, fma(fma(fma(2.7557319e-6, s, -1.9841270e-4), s, 8.3333333e-3), s, -0.16666667), r);
  let cosine = fma(s * s, fma(fma(fma(-2.7557319e-7, s, 2.4801587e-5), s, -1.3888889e-3), s, 0.041666667), 1.0 - 0.5 * s);
  let quadrant = u32(i32(clamp(turns, -1e9, 1e9))) & 3u;
  let a = select(sine, cosine, (quadrant & 1u) == 1u);
  let b = select(cosine, sine, (quadrant & 1u) == 1u);
  let value = keepNan(select(a, -a, quadrant >= 2u), u);
  return Activated(value, keepNan(select(b, -b, quadrant == 1u || quadrant == 2u), u), -value);
#end
#if activation_gelu
  // u Φ(u), by the approximations to erf and erfc of loss.wgsl.
  let t = abs(u);
  let x = t * 0.70710678;
  let s = x * x;
  let gauss = expNegative(-0.5 * (t * t));
  let erfP = fma(fma(fma(fma(0.185777706184603153, s, 3.1611237438705656), s, 113.864154151050156), s, 377.485237685302021), s, 3209.37758913846947);
  let erfQ = fma(fma(fma(s + 23.6012909523441209, s, 244.024637934444173), s, 1282.61652607737228), s, 2844.23683343917062);
  let b = min(x, 4.0);
  let midHigh = fma(fma(fma(fma(2.15311535474403846e-8, b, 0.564188496988670089), b, 8.88314979438837594), b, 66.1191906371416295), b, 298.635138197400131);
  let midP = fma(fma(fma(fma(midHigh, b, 881.95222124176909), b, 1712.04761263407058), b, 2051.07837782607147), b, 1230.33935479799725);
  let midTop = fma(fma(fma(b + 15.7449261107098347, b, 117.693950891312499), b, 537.181101862009858), b, 1621.38957456669019);
  let midQ = fma(fma(fma(fma(midTop, b, 3290.79923573345963), b, 4362.61909014324716), b, 3439.36767414372164), b, 1230.33935480374942);
  let safe = max(x, 1.0);
  let y = 1.0 / (safe * safe);
  let farP = fma(fma(fma(fma(fma(0.0163153871373020978, y, 0.305326634961232344), y, 0.360344899949804439), y, 0.125781726111229246), y, 0.0160837851487422766), y, 6.58749161529837803e-4);
  let farQ = fma(fma(fma(fma(y + 2.56852019228982242, y, 1.87295284992346725), y, 0.527905102951428412), y, 0.0605183413124413191), y, 0.00233520497626869185);
  let tail = gauss * select((0.56418958 - y * farP / farQ) / safe, midP / midQ, x <= 4.0);
  let lower = 0.5 * select(tail, 1.0 - x * erfP / erfQ, x <= 0.46875);
  let cdf = select(1.0 - lower, lower, u < 0.0);
  let density = 0.39894228 * gauss;
  return Activated(keepNan(u * cdf, u), keepNan(cdf + u * density, u), keepNan(density * (2.0 - u * u), u));
#end
#if activation_identity
  return Activated(u, 1.0, 0.0);
#end
}
