// IEEE arithmetic in double precision, rounded to nearest even, out of whole numbers, which every device computes alike: WGSL has
// no f64. Exponents are not bounded: nothing here leaves the range of normal numbers on the way, and what is too large or too
// small at the end is so in single precision as well.

struct Double {
  negative: bool,
  exponent: i32,  // value = ± mantissa · 2^(exponent − 52)
  high: u32,      // mantissa: 53 bits, the first of them set (bit 20 of high); 0 for zero
  low: u32,
}

/// From the two words of a finite number of the language's host; numbers below the normal ones are zero.
fn double(low: u32, high: u32) -> Double {
  let biased = (high >> 20u) & 0x7ffu;
  let normal = biased != 0u;
  return Double(
    (high >> 31u) == 1u,
    i32(biased) - 1023,
    select(0u, (high & 0xfffffu) | 0x100000u, normal),
    select(0u, low, normal)
  );
}
fn isZero(a: Double) -> bool { return (a.high | a.low) == 0u; }
fn negated(a: Double) -> Double { return Double(!a.negative, a.exponent, a.high, a.low); }

/// Rounds (high, low) · 2^(exponent − 62): 63 bits at most, `rest` where bits below were dropped. Not zero.
fn rounded(negative: bool, exponent: i32, high: u32, low: u32, rest: bool) -> Double {
  // Bit 62 first.
  let zeros = select(countLeadingZeros(high), 32u + countLeadingZeros(low), high == 0u);
  let shift = zeros - 1u;
  var h = high;
  var l = low;
  if (shift >= 32u) {
    h = low << (shift - 32u);
    l = 0u;
  } else if (shift > 0u) {
    h = (high << shift) | (low >> (32u - shift));
    l = low << shift;
  }
  // 53 bits stay, 10 go.
  let dropped = l & 0x3ffu;
  var kept = (l >> 10u) | (h << 22u);
  var top = h >> 10u;
  let up = (dropped > 0x200u) | ((dropped == 0x200u) & (rest | ((kept & 1u) == 1u)));
  kept += select(0u, 1u, up);
  top += select(0u, 1u, up & (kept == 0u));
  var e = exponent - i32(shift);
  if (top == 0x200000u) {
    top = 0x100000u;
    e += 1;
  }
  return Double(negative, e, top, kept);
}

/// a + b
fn added(a: Double, b: Double) -> Double {
  if (isZero(a) & isZero(b)) { return Double(a.negative & b.negative, 0, 0u, 0u); }
  if (isZero(a)) { return b; }
  if (isZero(b)) { return a; }
  let less = (a.exponent < b.exponent) | ((a.exponent == b.exponent) & ((a.high < b.high) | ((a.high == b.high) & (a.low < b.low))));
  var x = a;
  var y = b;
  if (less) {
    x = b;
    y = a;
  }
  // Nine bits more than the mantissa: bit 61 first.
  let xh = (x.high << 9u) | (x.low >> 23u);
  let xl = x.low << 9u;
  var yh = (y.high << 9u) | (y.low >> 23u);
  var yl = y.low << 9u;
  let shift = u32(x.exponent - y.exponent);
  var rest = false;
  if (shift >= 64u) {
    rest = true;
    yh = 0u;
    yl = 0u;
  } else if (shift >= 32u) {
    let n = shift - 32u;
    rest = (yl != 0u) | ((n > 0u) & ((yh << ((32u - n) & 31u)) != 0u));
    yl = yh >> n;
    yh = 0u;
  } else if (shift > 0u) {
    rest = (yl << (32u - shift)) != 0u;
    yl = (yl >> shift) | (yh << (32u - shift));
    yh = yh >> shift;
  }
  var h: u32;
  var l: u32;
  if (x.negative == y.negative) {
    l = xl + yl;
    h = xh + yh + select(0u, 1u, l < xl);
  } else {
    // What was dropped of y is taken off, too: one unit less, and a rest.
    let borrow = select(0u, 1u, rest);
    let t = yl + borrow;
    let carry = select(0u, 1u, t < yl);
    l = xl - t;
    h = xh - yh - carry - select(0u, 1u, xl < t);
    if (((h | l) == 0u) & !rest) { return Double(false, 0, 0u, 0u); }
  }
  return rounded(x.negative, x.exponent + 1, h, l, rest);
}
fn subtracted(a: Double, b: Double) -> Double { return added(a, negated(b)); }

/// Both words of a · b: low, high.
fn wide(a: u32, b: u32) -> vec2u {
  let al = a & 0xffffu;
  let ah = a >> 16u;
  let bl = b & 0xffffu;
  let bh = b >> 16u;
  let ll = al * bl;
  let middle = ah * bl + (ll >> 16u);
  let cross = al * bh + (middle & 0xffffu);
  return vec2u((cross << 16u) | (ll & 0xffffu), ah * bh + (middle >> 16u) + (cross >> 16u));
}

/// a · b
fn multiplied(a: Double, b: Double) -> Double {
  let negative = a.negative != b.negative;
  if (isZero(a) | isZero(b)) { return Double(negative, 0, 0u, 0u); }
  // 106 bits in four words, the first bit at 104 or 105.
  let p0 = wide(a.low, b.low);
  let p1 = wide(a.low, b.high);
  let p2 = wide(a.high, b.low);
  let p3 = wide(a.high, b.high);
  let s1 = p0.y + p1.x;
  let c1 = select(0u, 1u, s1 < p0.y);
  let w1 = s1 + p2.x;
  let c2 = select(0u, 1u, w1 < s1);
  let s2 = p1.y + p2.y;          // below 2^22: no carry
  let t2 = s2 + c1 + c2;
  let w2 = t2 + p3.x;
  let w3 = p3.y + select(0u, 1u, w2 < t2);
  // The upper 63 bits: bits 43 to 105.
  let high = (w3 << 21u) | (w2 >> 11u);
  let low = (w2 << 21u) | (w1 >> 11u);
  let rest = ((w1 & 0x7ffu) | p0.x) != 0u;
  return rounded(negative, a.exponent + b.exponent + 1, high, low, rest);
}

/// a / b, b not zero: 55 bits by long division, and whether a remainder is left.
fn divided(a: Double, b: Double) -> Double {
  let negative = a.negative != b.negative;
  if (isZero(a)) { return Double(negative, 0, 0u, 0u); }
  var rh = a.high;
  var rl = a.low;
  var qh = 0u;
  var ql = 0u;
  for (var i = 0u; i < 56u; i++) {
    qh = (qh << 1u) | (ql >> 31u);
    ql = ql << 1u;
    if ((rh > b.high) | ((rh == b.high) & (rl >= b.low))) {
      rh = rh - b.high - select(0u, 1u, rl < b.low);
      rl = rl - b.low;
      ql |= 1u;
    }
    rh = (rh << 1u) | (rl >> 31u);
    rl = rl << 1u;
  }
  // The quotient's first digit has weight 2^55.
  return rounded(negative, a.exponent - b.exponent + 7, qh, ql, (rh | rl) != 0u);
}

/// √a, a ≥ 0: 55 bits, digit by digit.
fn rooted(a: Double) -> Double {
  if (isZero(a)) { return a; }
  // Radicand m · 2^(2k), m in [1, 4): two more bits of it enter with each digit.
  let odd = (a.exponent & 1) != 0;
  var mh = (a.high << 10u) | (a.low >> 22u); // the mantissa's first bit at 62
  var ml = a.low << 10u;
  if (odd) {
    mh = (mh << 1u) | (ml >> 31u);
    ml = ml << 1u;
  }
  var rh = 0u;
  var rl = 0u;
  var qh = 0u;
  var ql = 0u;
  for (var i = 0u; i < 56u; i++) {
    rh = (rh << 2u) | (rl >> 30u);
    rl = (rl << 2u) | (mh >> 30u);
    mh = (mh << 2u) | (ml >> 30u);
    ml = ml << 2u;
    // Try 4q + 1.
    let th = (qh << 2u) | (ql >> 30u);
    let tl = (ql << 2u) | 1u;
    qh = (qh << 1u) | (ql >> 31u);
    ql = ql << 1u;
    if ((rh > th) | ((rh == th) & (rl >= tl))) {
      rh = rh - th - select(0u, 1u, rl < tl);
      rl = rl - tl;
      ql |= 1u;
    }
  }
  let half = select(a.exponent, a.exponent - 1, odd) / 2;
  return rounded(false, half + 7, qh, ql, (rh | rl) != 0u);
}

/// The bits of the nearest f32; numbers below the normal ones and infinity included.
fn singleBits(a: Double) -> u32 {
  let sign = select(0u, 0x80000000u, a.negative);
  if (isZero(a) | (a.exponent < -150)) { return sign; }
  if (a.exponent > 127) { return sign | 0x7f800000u; }
  // 24 bits stay, fewer below the normal numbers.
  let lost = 29u + u32(max(0, -126 - a.exponent));
  var kept: u32;
  var half: bool;
  var rest: bool;
  if (lost < 32u) {
    kept = (a.high << (32u - lost)) | (a.low >> lost);
    half = ((a.low >> (lost - 1u)) & 1u) == 1u;
    rest = (a.low & ((1u << (lost - 1u)) - 1u)) != 0u;
  } else if (lost == 32u) {
    kept = a.high;
    half = (a.low >> 31u) == 1u;
    rest = (a.low & 0x7fffffffu) != 0u;
  } else {
    let n = lost - 32u; // up to 21 for what is not zero
    kept = a.high >> n;
    half = ((a.high >> (n - 1u)) & 1u) == 1u;
    rest = (a.low | (a.high & ((1u << (n - 1u)) - 1u))) != 0u;
  }
  kept += select(0u, 1u, half & (rest | ((kept & 1u) == 1u)));
  // The first bit counts as one in the exponent's field; a carry out of the mantissa does what it should.
  let field = u32(max(0, a.exponent + 126));
  return sign | ((field << 23u) + kept);
}
