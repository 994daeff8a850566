/** Thresholds of verdicts, in one place: rules use them, and every summary prints them. */
export const thresholds = {
  /** An eigenvalue is zero within zeroBandFactor·eps·P·‖H‖. */
  zeroBandFactor: 16,
  newtonStep: 1e-6,
  moved: 0.5,
  nullGradient: 1000,
  arrived: 1e-2,
  weakSaddle: 1000,
  outwards: 1.2,
  finely: 1.05,
  inwards: 0.95
} as const

export const thresholdMeanings: Readonly<Record<keyof typeof thresholds, string>> = {
  zeroBandFactor:
    'An eigenvalue counts as zero within this times eps·P·‖H‖ (columns in units of their rms, eps = 2⁻⁵²).',
  newtonStep:
    'A point is stationary when the Newton step still predicted is at most this, relative to max(1, |θ|) (here and below, columns in units of their rms).',
  moved: 'Polishing may move a parameter by at most this, relative to max(1, |θ|); otherwise the run had not arrived.',
  nullGradient:
    'The gradient along zero-band directions may be at most this many zero bands, times max(1, |θ|), and no more than lets the loss, unless a network has next to none left, fall by its rounding over a step of newtonStep, and in networks with hidden units by 2⁻³³ of it over max(1, |θ|).',
  weakSaddle:
    'A negative eigenvalue of at most this many zero bands makes a saddle only if Newton’s method goes downhill from there.',
  arrived:
    'A run is at a saddle only if polishing moved it by at most this, relative to max(1, |θ|); otherwise its own way leads past.',
  outwards: 'Ways to infinity are looked for on spheres, each of which has this times the radius of the one before.',
  finely: 'The same where the loss comes to its limit within a few of them.',
  inwards: 'The same on the way back.'
}
