/**
 * Gauss and Newton's method in a trust region: Levenberg and Marquardt's method as Moré writes it (Numerical Analysis, Dundee 1977). The
 * rule is that of Newton's method; the matrix it is given leaves out the curvature of z itself, so that it is never negative
 * while the loss is convex in z. Far from a fit, where residuals are large, the Hessian's negative curvature leads runs away to infinity
 * that this matrix keeps; near one that fits well the two are the same.
 */
import { newton } from './newton.js'
import type { OptimizerDefinition } from './types.js'

export const gaussNewton: OptimizerDefinition = { ...newton, name: 'gaussNewton', curvature: 'gaussNewton' }
