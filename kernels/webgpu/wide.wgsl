// V holds one number of each of `width` rows of data that a thread takes together: vec4f, vec2f or f32. Linear algebra is in V, so that
// a number from memory serves several multiply-adds; what is not linear goes row by row.
#include activation.wgsl

#if width4
alias V = vec4f;
fn sumOf(a: V) -> f32 { return (a.x + a.y) + (a.z + a.w); }
/// sum + Σ a b over the rows.
fn addDot(sum: f32, a: V, b: V) -> f32 { return fma(a.w, b.w, fma(a.z, b.z, fma(a.y, b.y, fma(a.x, b.x, sum)))); }
#end
#if width2
alias V = vec2f;
fn sumOf(a: V) -> f32 { return a.x + a.y; }
fn addDot(sum: f32, a: V, b: V) -> f32 { return fma(a.y, b.y, fma(a.x, b.x, sum)); }
#end
#if width1
alias V = f32;
fn sumOf(a: V) -> f32 { return a; }
fn addDot(sum: f32, a: V, b: V) -> f32 { return fma(a, b, sum); }
#end

struct Activations {
  value: V,
  first: V,
#if hessian
  second: V,
#end
}

fn activateAll(u: V) -> Activations {
#for r in width
  let t{{r}} = activate(u{{part[r]}});
#end
  return Activations(
    V(
#for r in width
      t{{r}}.value,
#end
    ),
    V(
#for r in width
      t{{r}}.first,
#end
    ),
#if hessian
    V(
#for r in width
      t{{r}}.second,
#end
    ),
#end
  );
}
