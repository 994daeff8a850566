// Comparisons of f32 numbers by their bits: WGSL lets a compiler assume that there are neither NaN nor infinities, and
// flush small numbers to zero. Without branches: some compilers take very long over programs that are full of them.

const infiniteBits = 0x7f800000u;
// Not constants: the compiler would refuse to make an infinity or a NaN of them.
var<private> infiniteWord: u32 = 0x7f800000u;
var<private> nanWord: u32 = 0x7fc00000u;
fn infinite() -> f32 { return bitcast<f32>(infiniteWord); }
fn notANumber() -> f32 { return bitcast<f32>(nanWord); }

fn magnitudeBits(a: f32) -> u32 { return bitcast<u32>(a) & 0x7fffffffu; }
fn isNumber(a: f32) -> bool { return magnitudeBits(a) <= infiniteBits; }
fn isFinite(a: f32) -> bool { return magnitudeBits(a) < infiniteBits; }
fn isTrue(a: f32) -> bool { return magnitudeBits(a) != 0u; }

/// Whole numbers in the order of the numbers; both zeros are 0.
fn orderOf(a: f32) -> i32 {
  let size = bitcast<i32>(magnitudeBits(a));
  return select(size, -size, bitcast<i32>(a) < 0);
}
/// a < b; false when either is NaN.
fn isLess(a: f32, b: f32) -> bool { return isNumber(a) & isNumber(b) & (orderOf(a) < orderOf(b)); }
fn isAtMost(a: f32, b: f32) -> bool { return isNumber(a) & isNumber(b) & (orderOf(a) <= orderOf(b)); }

/// The larger of |a| and of a size so far, given and kept as bits; NaN wins.
fn largerBits(size: u32, a: f32) -> u32 { return max(size, magnitudeBits(a)); }
