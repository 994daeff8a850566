// The loss of one row (twin: src/models/losses.ts): ℓ, ℓ′ and ℓ″ at z with target y where there is one output.
#include math.wgsl

#if loss_softmax
/// ℓ = log Σ_b e^(z_b − z_y) from the largest z, the row's own, sum = Σ_b e^(z_b − top), and rest, the sum without the own class: by
/// log1p of the others where the own class leads.
fn softmaxLoss(top: f32, own: f32, sum: f32, rest: f32) -> f32 {
  let leads = own == top && rest <= 1.0;
  return select((top - own) + logPositive(sum), log1pUnit(min(rest, 1.0)), leads);
}
#else
struct Terms {
  value: f32,
  first: f32,
  second: f32,
}

#if loss_probit
struct Normal {
  logCdf: f32,  // log Φ(z)
  hazard: f32,  // r = φ(z)/Φ(z)
  excess: f32,  // r + z, which cancels in the lower tail when it is formed from r
}

fn normalTerms(z: f32) -> Normal {
  let t = abs(z);
  let x = t * 0.70710678;
  let gauss = expNegative(-0.5 * (t * t));
  let erfSmall = erfNear(x);
  let safe = max(x, 1.0);
  let w = erfcFar(safe);
  let isSmall = x <= 0.46875;
  let isFar = t > 5.65685424949238;
  let far = (1.0 - w) / (1.77245385 * safe);
  let erfcx = select(select(erfcMiddle(min(x, 4.0)), far, isFar), (1.0 - erfSmall) / gauss, isSmall);
  let erfc = select(gauss * erfcx, 1.0 - erfSmall, isSmall);
  // Lower tail.
  let hazardLow = select(0.797884561 / erfcx, t / (1.0 - w), isFar);
  let excessLow = select(hazardLow - t, t * w / (1.0 - w), isFar);
  let logLow = logPositive(0.5 * erfcx) - 0.5 * (t * t);
  // Upper half: Φ = 1 − q, q = erfc/2 ≤ ½.
  let q = 0.5 * erfc;
  let cdf = 1.0 - q;
  let logHigh = select(logPositive(cdf), -twiceAtanh(q / (2.0 - q)), q < 0.25);
  let hazardHigh = 0.398942280 * gauss / cdf;
  let lower = z < 0.0;
  return Normal(
    select(logHigh, logLow, lower),
    select(hazardHigh, hazardLow, lower),
    select(hazardHigh + z, excessLow, lower)
  );
}
#end

fn lossTerms(z: f32, y: f32) -> Terms {
#if loss_squared
  let r = z - y;
  return Terms(0.5 * r * r, r, 1.0);
#end
#if loss_logistic
  let s = sigmoid(z);
  let notY = 1.0 - y;
  // max(z, 0) − y z without forming a difference.
  let linear = select(-part(y, z), part(notY, z), z > 0.0);
  return Terms(keepNan(linear + log1pUnit(s.e), z), notY * s.up - y * s.down, s.up * s.down);
#end
#if loss_brier
  let s = sigmoid(z);
  let d = (1.0 - y) * s.up - y * s.down;
  let v = s.up * s.down;
  return Terms(0.5 * d * d, d * v, v * v + d * v * (s.down - s.up));
#end
#if loss_probit
  let a = normalTerms(z);
  let b = normalTerms(-z);
  let notY = 1.0 - y;
  return Terms(
    keepNan(-(part(y, a.logCdf) + part(notY, b.logCdf)), z),
    keepNan(notY * b.hazard - y * a.hazard, z),
    keepNan(y * a.hazard * a.excess + notY * b.hazard * b.excess, z)
  );
#end
#if loss_cloglog
  let notY = 1.0 - y;
  let u = expAny(z);
  let less = expm1Negative(-u);  // e^−u − 1
  let e = expNegative(-u);
  // −log(1 − e^−u): by −log1p(−e) = 2 atanh(e/(2 − e)) where e is small.
  let near = select(-logPositive(-less), twiceAtanh(e / (2.0 - e)), e < 0.25);
  let event = select(near, -z, z < -36.0);
  // q = u/(e^u − 1) = u e^−u/(1 − e^−u); k = 1 − u/(1 − e^−u), by its series for small u.
  let huge = u > 700.0;
  let ratio = select(u / -less, 1.0, u == 0.0);
  let q = select(ratio * e, 0.0, huge);
  let s = u * u;
  let tail = 3.3068783e-5 - s * (8.267196e-7 - s * 2.0876757e-8);
  let series = u * -0.5 - s * (0.083333336 - s * (0.0013888889 - s * tail));
  let k = select(1.0 - ratio, series, u < 0.25);
  let slope = select(q * k, 0.0, huge);
  let rest = part(notY, u);
  return Terms(keepNan(part(y, event) + rest, z), keepNan(rest - part(y, q), z), keepNan(rest - part(y, slope), z));
#end
#if loss_poisson
  let u = keepNan(expAny(z), z);
  return Terms(u - y * z, u - y, u);
#end
#if loss_gamma
  let u = keepNan(part(y, expAny(-z)), z);
  return Terms(z + u, 1.0 - u, u);
#end
#if loss_negativeBinomial
  // Constants α, log α, 1/α; w = z + log α.
  let w = z + {{lossConstants[1]}};
  let size = y + {{lossConstants[2]}};
  let s = sigmoid(w);
  let linear = select(-(y * z), {{lossConstants[2]}} * w + y * {{lossConstants[1]}}, w > 0.0);
  return Terms(keepNan(linear + size * log1pUnit(s.e), z), {{lossConstants[2]}} * s.up - y * s.down, size * s.up * s.down);
#end
#if loss_huber
  let r = z - y;
  let size = abs(r);
  let far = size > {{lossConstants[0]}};
  return Terms(
    keepNan(select(0.5 * r * r, {{lossConstants[0]}} * (size - 0.5 * {{lossConstants[0]}}), far), z),
    keepNan(select(r, select({{lossConstants[0]}}, -{{lossConstants[0]}}, r < 0.0), far), z),
    keepNan(select(1.0, 0.0, far), z)
  );
#end
#if loss_student
  // Constants ½ (ν + 1), 1/(ν s²), (ν + 1)/(ν s²).
  let r = z - y;
  let t = {{lossConstants[1]}} * r * r;
  let down = 1.0 / (1.0 + t);
  let logarithm = select(logPositive(1.0 + t), log1pUnit(min(t, 1.0)), t <= 1.0);
  return Terms(
    keepNan({{lossConstants[0]}} * logarithm, z),
    keepNan({{lossConstants[2]}} * r * down, z),
    keepNan({{lossConstants[2]}} * (1.0 - t) * (down * down), z)
  );
#end
}
#end
