// ℓ and ∂ℓ/∂z of one row from all its outputs, unrolled over the outputs.
#include loss.wgsl

alias Outputs = array<f32, {{outputs}}>;
struct OutputTerms {
  value: f32,
  first: Outputs,
}

#if scalar
fn outputTerms(z: Outputs, y: f32, offset: f32) -> OutputTerms {
  let t = lossTerms(z[0] + offset, y);
  return OutputTerms(t.value, Outputs(t.first));
}
#else
fn outputTerms(z: Outputs, y: f32, offset: f32) -> OutputTerms {
  var top = z[0];
#for c in outputs
  top = max(top, z[{{c}}]);
#end
  var sum = 0.0;
  var rest = 0.0; // the sum without the row's own class
  var own = 0.0;
  var bad = 0.0;
#for c in outputs
  let e{{c}} = expNegative(z[{{c}}] - top);
  let mine{{c}} = y == {{c}}.0;
  sum += e{{c}};
  rest += select(e{{c}}, 0.0, mine{{c}});
  own = select(own, z[{{c}}], mine{{c}});
  bad = select(bad, z[{{c}}], isNan(z[{{c}}]));
#end
  sum = keepNan(sum, bad);
  return OutputTerms(keepNan(softmaxLoss(top, own, sum, rest), bad), Outputs(
#for c in outputs
    select(e{{c}}, -rest, mine{{c}}) / sum,
#end
  ));
}
#end
