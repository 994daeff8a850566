// Elementary functions, free of overflow and cancellation, from the same formulas as kernels/cpu/math.h. WGSL promises neither NaN,
// nor infinity, nor the order of sums, so what depends on them is made from bits and by choosing between two values.

// Not constants: the compiler would refuse to make an infinity of them.
var<private> infinityBits: u32 = 0x7f800000u;
fn infinity() -> f32 { return bitcast<f32>(infinityBits); }

fn isNan(x: f32) -> bool { return (bitcast<u32>(x) & 0x7fffffffu) > 0x7f800000u; }
fn keepNan(value: f32, x: f32) -> f32 { return select(value, x, isNan(x)); }

/// weight · term, 0 where the weight is 0 even if the term is infinite.
fn part(weight: f32, term: f32) -> f32 { return select(weight * term, 0.0, weight == 0.0); }

fn expNegative(x: f32) -> f32 { return exp(max(x, -104.0)); }

fn expAny(x: f32) -> f32 {
  return select(exp(clamp(x, -104.0, 88.72283)), infinity(), x > 88.72283);
}

/// e^x − 1 for x ≤ 0: by a minimax polynomial down to −ln2/2 (coefficients of kernels/cpu/math.h).
fn expm1Negative(x: f32) -> f32 {
  let r = max(x, -0.35);
  let q = fma(fma(fma(fma(0.00138841371268088226, r, 0.00836649901266333976), r, 0.0416671732062968476), r, 0.166665440245860033), r, 0.499999982583237053);
  return select(expNegative(x) - 1.0, fma(q * r, r, r), x > -0.35);
}

/// 2 atanh(s) for |s| ≤ 0.1716, by its series.
fn twiceAtanh(s: f32) -> f32 {
  let z = s * s;
  let q = fma(fma(fma(fma(0.18181819, z, 0.22222222), z, 0.2857143), z, 0.4), z, 0.6666667);
  return fma(q * z, s, s + s);
}

/// log(1 + x) for x in [0, 1].
fn log1pUnit(x: f32) -> f32 {
  let big = x > 0.41421356;
  let f = select(x, (x - 1.0) * 0.5, big);
  return select(0.0, 0.6931472, big) + twiceAtanh(f / (2.0 + f));
}

/// Natural logarithm of a positive normal number; −∞ at 0.
fn logPositive(x: f32) -> f32 {
  let bits = bitcast<i32>(x);
  // Exponent such that the mantissa falls in [√½, √2).
  let e = (bits - 0x3f3504f3) >> 23u;
  let f = bitcast<f32>(bits - (e << 23u)) - 1.0;
  let n = f32(e);
  let y = fma(n, 0.693359375, fma(n, -0.00021219444, twiceAtanh(f / (2.0 + f))));
  return select(y, -infinity(), x <= 0.0);
}

struct Sigmoid {
  up: f32,    // logistic(z)
  down: f32,  // logistic(−z)
  e: f32,     // e^−|z|
}
fn sigmoid(z: f32) -> Sigmoid {
  let e = expNegative(-abs(z));
  let big = keepNan(1.0 / (1.0 + e), z);
  let small = e * big;
  let up = z >= 0.0;
  return Sigmoid(select(small, big, up), select(big, small, up), e);
}

struct Hyperbolic {
  value: f32,  // tanh u
  slope: f32,  // 1 − tanh² u
}
/// With e = e^(−2|u|): (1 − e)/(1 + e), near 0 by u + u³ p(u²) (minimax for |u| ≤ 0.35, 2e-9), and 4e/(1 + e)², which keeps its
/// digits in the tails.
fn hyperbolicTangent(u: f32) -> Hyperbolic {
  let e = exp2(max(abs(u) * -2.88539, -150.0));
  let d = keepNan(1.0 / (1.0 + e), u);
  let s = u * u;
  let p = fma(fma(fma(0.019425374, s, -0.053723674), s, 0.13332357), s, -0.33333322);
  let far = (1.0 - e) * d;
  let value = select(select(far, -far, u < 0.0), fma(u * s, p, u), abs(u) < 0.35);
  return Hyperbolic(value, e * ((d + d) * (d + d)));
}

struct Angle {
  sine: f32,
  cosine: f32,
}
/// u less a multiple of π/2 in three parts, and the series of both functions for |r| ≤ π/4: the builtins promise less. Of |u| above
/// 1e4 digits are lost, as u itself has few behind the point.
fn angle(u: f32) -> Angle {
  let turns = round(u * 0.63661977);
  let near = fma(turns, -7.549789948768648e-8, fma(turns, -4.837512969970703e-4, fma(turns, -1.5703125, u)));
  let r = clamp(near, -0.8, 0.8);
  let s = r * r;
  let sine = fma(r * s, fma(fma(fma(2.7557319e-6, s, -1.9841270e-4), s, 8.3333333e-3), s, -0.16666667), r);
  let cosine = fma(s * s, fma(fma(fma(-2.7557319e-7, s, 2.4801587e-5), s, -1.3888889e-3), s, 0.041666667), 1.0 - 0.5 * s);
  let quadrant = u32(i32(clamp(turns, -1e9, 1e9))) & 3u;
  let a = select(sine, cosine, (quadrant & 1u) == 1u);
  let b = select(cosine, sine, (quadrant & 1u) == 1u);
  return Angle(
    keepNan(select(a, -a, quadrant >= 2u), u),
    keepNan(select(b, -b, quadrant == 1u || quadrant == 2u), u)
  );
}

// Cody's rational approximations (Mathematics of Computation 23, 1969).
/// erf x for |x| ≤ 0.46875.
fn erfNear(x: f32) -> f32 {
  let s = x * x;
  let p = fma(fma(fma(fma(0.185777706184603153, s, 3.1611237438705656), s, 113.864154151050156), s, 377.485237685302021), s, 3209.37758913846947);
  let q = fma(fma(fma(s + 23.6012909523441209, s, 244.024637934444173), s, 1282.61652607737228), s, 2844.23683343917062);
  return x * p / q;
}
/// e^(x²) erfc x for x in [0.46875, 4].
fn erfcMiddle(x: f32) -> f32 {
  let high = fma(fma(fma(fma(2.15311535474403846e-8, x, 0.564188496988670089), x, 8.88314979438837594), x, 66.1191906371416295), x, 298.635138197400131);
  let p = fma(fma(fma(fma(high, x, 881.95222124176909), x, 1712.04761263407058), x, 2051.07837782607147), x, 1230.33935479799725);
  let top = fma(fma(fma(x + 15.7449261107098347, x, 117.693950891312499), x, 537.181101862009858), x, 1621.38957456669019);
  let q = fma(fma(fma(fma(top, x, 3290.79923573345963), x, 4362.61909014324716), x, 3439.36767414372164), x, 1230.33935480374942);
  return p / q;
}
/// 1 − √π x e^(x²) erfc x for x ≥ 4; positive and without meaning from 1 on.
fn erfcFar(x: f32) -> f32 {
  let y = 1.0 / (x * x);
  let p = fma(fma(fma(fma(fma(0.0163153871373020978, y, 0.305326634961232344), y, 0.360344899949804439), y, 0.125781726111229246), y, 0.0160837851487422766), y, 6.58749161529837803e-4);
  let q = fma(fma(fma(fma(y + 2.56852019228982242, y, 1.87295284992346725), y, 0.527905102951428412), y, 0.0605183413124413191), y, 0.00233520497626869185);
  return 1.77245385 * (y * p / q);
}
