/** Thresholds of verdicts, in one place: rules use them, and every summary prints them. */
export const thresholds = {
  /** An eigenvalue is zero within zeroBandFactor·eps·P·‖H‖. */
  zeroBandFactor: 16,
  newtonStep: 1e-6,
  moved: 0.5,
  nullGradient: 1000,
  weakSaddle: 1000,
  recessionReach: 1024,
  recessionRise: 1e-6
} as const

export const thresholdMeanings: Readonly<Record<keyof typeof thresholds, string>> = {
  zeroBandFactor:
    'An eigenvalue counts as zero within this times eps·P·‖H‖ (columns in units of their rms, eps = 2⁻⁵²).',
  newtonStep:
    'A point is stationary when the Newton step still predicted is at most this, relative to max(1, |θ|) (here and below, columns in units of their rms).',
  moved: 'Polishing may move a parameter by at most this, relative to max(1, |θ|); otherwise the run had not arrived.',
  nullGradient: 'The gradient along zero-band directions may be at most this many zero bands, times max(1, |θ|).',
  weakSaddle:
    'A negative eigenvalue of at most this many zero bands makes a saddle only if Newton’s method goes downhill from there.',
  recessionReach: 'A direction of recession is followed for this many times max(1, |θ|).',
  recessionRise: 'Backwards along a direction of recession the loss must rise by at least this share.'
}
