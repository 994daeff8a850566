// Rows of a run's own: how much each counts in the lane's run (resample.wgsl).
#if own
@group(0) @binding({{sharesAt}}) var<storage, read> shares: array<f32>; // [N][lanes]
fn shareOfRow(row: u32, ofLane: u32, allLanes: u32) -> f32 {
  return select(0.0, shares[min(row, {{dataRows}}u - 1u) * allLanes + ofLane], row < {{dataRows}}u);
}
#end
