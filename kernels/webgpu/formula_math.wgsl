// The operations of formulas (src/language/formula/graph.ts), whose values outside their domains are said here, since WGSL does not:
// what is not defined is NaN, what is too large is infinite.
#include bits.wgsl
#include math.wgsl

fn withSign(size: f32, other: f32) -> f32 {
  return bitcast<f32>((bitcast<u32>(size) & 0x7fffffffu) | (bitcast<u32>(other) & 0x80000000u));
}

fn quotient(a: f32, b: f32) -> f32 {
  let byZero = select(withSign(infinity(), a), notANumber(), a == 0.0 || isNan(a));
  let signed = select(byZero, -byZero, bitcast<i32>(b) < 0);
  return select(a / b, signed, magnitudeBits(b) == 0u);
}

fn exponential(a: f32) -> f32 { return keepNan(expAny(a), a); }

fn logarithm(a: f32) -> f32 {
  let whole = select(logPositive(max(a, 0.0)), infinity(), magnitudeBits(a) == infiniteBits);
  return keepNan(select(whole, notANumber(), isLess(a, 0.0)), a);
}

fn root(a: f32) -> f32 { return select(keepNan(sqrt(max(a, 0.0)), a), notANumber(), isLess(a, 0.0)); }

fn sineOf(a: f32) -> f32 { return select(notANumber(), angle(a).sine, isFinite(a)); }
fn cosineOf(a: f32) -> f32 { return select(notANumber(), angle(a).cosine, isFinite(a)); }

/// Moshier's Cephes, atanf.c.
fn arctangent(a: f32) -> f32 {
  let size = abs(a);
  let steep = size > 2.41421356;
  let middle = size > 0.41421356;
  let far = select((size - 1.0) / (size + 1.0), -1.0 / size, steep);
  let t = select(size, far, middle);
  let base = select(select(0.0, 0.78539816, middle), 1.57079633, steep);
  let z = t * t;
  let p = fma(fma(fma(8.05374449538e-2, z, -1.38776856032e-1), z, 1.99777106478e-1), z, -3.33329491539e-1);
  return keepNan(withSign(base + fma(p * z, t, t), a), a);
}

fn errorFunction(a: f32) -> f32 {
  let x = min(abs(a), 4.0);
  let tail = expNegative(-x * x) * erfcMiddle(max(x, 0.46875));
  return keepNan(select(withSign(1.0 - tail, a), erfNear(a), abs(a) <= 0.46875), a);
}

fn signOf(a: f32) -> f32 { return keepNan(sign(a), a); }
fn smaller(a: f32, b: f32) -> f32 { return select(b, a, isLess(a, b) || isNan(a)); }
fn larger(a: f32, b: f32) -> f32 { return select(b, a, isLess(b, a) || isNan(a)); }
fn truth(holds: bool) -> f32 { return select(0.0, 1.0, holds); }
fn isEqual(a: f32, b: f32) -> bool { return isNumber(a) & isNumber(b) & (orderOf(a) == orderOf(b)); }

/// x^y (log x)^k; 0 where x is 0 and y positive, NaN for x < 0.
fn power(x: f32, y: f32, k: u32) -> f32 {
  let l = logarithm(x);
  var p = select(exponential(y * l), 1.0, y == 0.0);
  for (var i = 0u; i < k; i++) { p *= l; }
  return select(p, 0.0, magnitudeBits(x) == 0u && isLess(0.0, y));
}
