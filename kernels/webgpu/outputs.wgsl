// ℓ and ∂ℓ/∂z of one row from all its outputs, unrolled over the outputs.
#include loss.wgsl

alias Outputs = array<f32, {{outputs}}>;
alias Targets = array<f32, {{targets}}>; // one for each output, or the class
struct OutputTerms {
  value: f32,
  first: Outputs,
}

#if scalar
fn outputTerms(z: Outputs, y: Targets, offset: f32) -> OutputTerms {
  var value = 0.0;
#for c in outputs
  let t{{c}} = lossTerms(z[{{c}}] + offset, y[{{c}}]);
  value += t{{c}}.value;
#end
  return OutputTerms(value, Outputs(
#for c in outputs
    t{{c}}.first,
#end
  ));
}
#else
fn outputTerms(z: Outputs, y: Targets, offset: f32) -> OutputTerms {
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
  let mine{{c}} = y[0] == {{c}}.0;
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
