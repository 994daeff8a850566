// Uniform and normal numbers in double precision from random words (twin: src/core/rng.ts).
#include double.wgsl

/// The whole number of two words.
fn whole(low: u32, high: u32) -> Double {
  if ((low | high) == 0u) { return Double(false, 0, 0u, 0u); }
  return rounded(false, 62, high, low, false);
}
fn scaled(words: vec2u, power: i32, negative: bool) -> Double {
  let a = whole(words.x, words.y);
  return Double(negative, a.exponent + power, a.high, a.low);
}
/// 2n + 1, modulo 2³².
fn oddBelow(n: u32) -> vec2u { return vec2u((n << 1u) | 1u, 0u); }

#if normal
// Φ⁻¹ as two lists of operations in double precision, (operation, register of the result, a, b), for the centre and the tail of the
// distribution. A list that is read keeps one copy of each operation in the kernel; written out, compilers would inline a hundred.
const listed = array<vec4u, {{operations}}>({{code}});
const centreEnd = {{centreEnd}}u; // the list of the tail begins here
const constants = array<vec2u, {{constantCount}}>({{constants}}); // low and high word
const firstConstant = {{firstConstant}}u; // operands from here on are constants, the others registers
var<private> registers: array<Double, firstConstant>;

fn operand(n: u32) -> Double {
  if (n < firstConstant) { return registers[n]; }
  let words = constants[n - firstConstant];
  return double(words.x, words.y);
}
/// Runs the operations from `begin` to `end`; the last one's result.
fn computed(begin: u32, end: u32) -> Double {
  var result: Double;
  for (var i = begin; i < end; i++) {
    let step = listed[i];
    let a = operand(step.z);
    var b = operand(step.w);
    switch step.x {
      case {{add}}u, {{subtract}}u: {
        if (step.x == {{subtract}}u) { b = negated(b); }
        result = added(a, b);
      }
      case {{multiply}}u: { result = multiplied(a, b); }
      case {{divide}}u: { result = divided(a, b); }
      default: { result = rooted(a); }
    }
    registers[step.y] = result;
  }
  return result;
}

/// Φ⁻¹ of (word + ½) / 2³², as `normalQuantile`. The argument of the tail is below 5, so that its farthest part does not occur.
fn normalQuantile(word: u32) -> Double {
  // q = u − ½ = (2 word + 1 − 2³²) / 2³³
  let upper = word >= 0x80000000u;
  let q = scaled(select(oddBelow(~word), oddBelow(word - 0x80000000u), upper), -33, !upper);
  let limit = double({{limit}});
  let within = q.exponent < limit.exponent ||
    (q.exponent == limit.exponent && (q.high < limit.high || (q.high == limit.high && q.low <= limit.low)));
  var begin = 0u;
  var end = centreEnd;
  registers[0] = q;
  if (!within) {
    begin = centreEnd;
    end = {{operations}}u;
    // The smaller of u and 1 − u is m 2^−k with m in [√½, √2).
    let outer = select(word, ~word, upper);
    let u = scaled(vec2u((outer << 1u) | 1u, outer >> 31u), -33, false);
    let root = double({{root}});
    let above = u.high > root.high || (u.high == root.high && u.low >= root.low);
    let m = Double(false, select(0, -1, above), u.high, u.low);
    registers[0] = m;
    registers[1] = whole(u32(m.exponent - u.exponent), 0u);
  }
  let x = computed(begin, end);
  return Double(q.negative, x.exponent, x.high, x.low);
}
#end
