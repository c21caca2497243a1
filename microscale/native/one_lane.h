/* What vectors.h and lanes.h have, for one point at a time in plain C99 and the functions of its library. */
#ifndef ONE_LANE_H
#define ONE_LANE_H

#include <math.h>

#define INLINE static inline
#define LANES 1
#define LANE(x, l) (x)
typedef double real;
typedef int mask;

#define choose(m, a, b) ((m) ? (a) : (b))
#define OF_PRECISION(name, x) (sizeof(x) == sizeof(float) ? name##f((float)(x)) : name(x))
#define exponential(x) OF_PRECISION(exp, x)
#define reciprocal(x) (1 / (x))

INLINE unsigned int flush_tiny(void) { return 0; }
INLINE void leave_tiny(unsigned int before) { (void)before; }
INLINE int any(mask m) { return m; }
INLINE real splat(double x) { return x; }
/* The second of two numbers where either is not one. */
INLINE real larger(real a, real b) { return a > b ? a : b; }
INLINE real smaller(real a, real b) { return a < b ? a : b; }
INLINE real root(real x) { return sqrt(x); }
INLINE real inverse_root(real x) { return 1.0 / sqrt(x); }
INLINE real inverse_cube_root(real q) { return 1.0 / cbrt(q); }
INLINE real logarithm(real x) { return log(x); }
INLINE real one_minus_exp(real x) { return -expm1(-x); }
INLINE real mean_exp(real x, real gain) { return x > 1e-12 ? gain / x : 1.0; }
#endif
