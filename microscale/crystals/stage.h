/* One implicit stage of viscoplastic crystals with slip and twinning, LANES at a time: eqs. (27)-(39) of the paper.
 *
 * Unknowns: the deviatoric Mandel stress s (5) and the increments of slip and twin fraction; the latter are
 * eliminated family by family (self hardening diagonal, latent hardening of rank one), which leaves a symmetric
 * positive 5 x 5 system. */
#ifndef CRYSTAL_STAGE_H
#define CRYSTAL_STAGE_H

#include "microscale/native/lanes.h"

#ifndef N_SLIP /* set by the caller for its crystal */
#define N_SLIP 12
#define N_TWIN 6
#define N_FAMILIES 3
#define FAMILY_ENDS {3, 6, 12}
#endif
#define TWINS (N_TWIN ? N_TWIN : 1) /* no zero-sized arrays */
#define SYSTEMS (N_SLIP > TWINS ? N_SLIP : TWINS) /* no family has more */

typedef struct { /* mirrored field by field in kernel.py */
  double shear_modulus, lambda_e, rate_exponent, step_tolerance, newton_tolerance;
  double hardening[N_FAMILIES], saturation[N_FAMILIES], latent[N_FAMILIES], strength[N_FAMILIES], rate[N_FAMILIES];
  double twin_hardening, twin_interaction, twin_strength, twin_rate;
  double schmid[N_SLIP][5], spin[N_SLIP][3], twin_schmid[TWINS][5], twin_spin[TWINS][3];
  double reflect[TWINS][5][5], reflect_axial[TWINS][3][3];
  double max_iterations; /* of Newton's, for a stage */
} Crystal;

typedef struct {
  real plastic_inverse[9], slip[N_SLIP], twin[TWINS], dissipation;
} State;

typedef struct {
  real D[9]; /* logarithm of the increment of F_in */
  real slip[N_SLIP], twin[TWINS], dissipation;
} Increment;

/* What an iterate does to slip (first) and twinning (behind): residuals h rate (f_+)^n - increment, their
 * derivatives by the resolved shear stress, slopes of self hardening (GPa) and the signs of shear. */
typedef struct {
  real change[N_SLIP + TWINS], residual[N_SLIP + TWINS], slope[N_SLIP + TWINS], direction[N_SLIP + TWINS];
  real worst, dissipation;
} Rates;

/* The systems of one family, eliminated from a Newton step:
 * increment_i = weight_i (direction_i P_i - shared) . dt + offset_i for a change dt of the resolved deviator. */
typedef struct {
  real weight[SYSTEMS], offset[SYSTEMS], shared[5];
} Eliminated;

typedef struct {
  real K[15], u[5];
} Condensed;

/* The viscous law of system i at overstress f over strength; x is its increment, `reference` h times its rate. */
INLINE void flow(Rates *rates, int i, real f, real x, real reference, double strength, double exponent) {
  const real y = positive(f), slow = power(y, exponent - 1.0);
  rates->change[i] = reference * (exponent / strength) * slow;
  rates->residual[i] = reference * slow * y - x;
  rates->worst = larger(rates->worst, magnitude(rates->residual[i]));
  rates->dissipation += strength * y * x;
}

/* Eliminate `count` systems that start at `first`; latent: their coupling, GPa. */
INLINE void eliminate(int first, int count, const Rates *rates, const double P[][5], double latent,
                      Eliminated *family, Condensed *system) {
  const real *a = rates->change + first, *rho = rates->residual + first, *slope = rates->slope + first;
  const real *direction = rates->direction + first;
  real inverse[SYSTEMS], schur = splat(1), negative = splat(0);
  for (int i = 0; i < count; ++i) {
    inverse[i] = reciprocal(1.0 + a[i] * (slope[i] - latent));
    schur += latent * a[i] * inverse[i];
    negative += choose(inverse[i] < 0.0, splat(1), splat(0));
  }
  /* Systems that harden one another compete, and the block diag(1/inverse) + a latent 1^T may be indefinite. There
   * only its convex part is kept, which still descends; the residual stays that of the fully implicit step. */
  const mask stable = (negative < 0.5) | ((negative < 1.5) & (schur < 0.0));
  if (any(~stable))
    for (int i = 0; i < count; ++i) inverse[i] = choose(stable, inverse[i], 1.0 / (1.0 + a[i] * slope[i]));
  real sum_weight = splat(0), sum_offset = splat(0), p[5] = {{0}};
  for (int i = 0; i < count; ++i) {
    family->weight[i] = a[i] * inverse[i];
    family->offset[i] = rho[i] * inverse[i];
    sum_weight += family->weight[i];
    sum_offset += family->offset[i];
    for (int k = 0; k < 5; ++k) p[k] += family->weight[i] * direction[i] * P[i][k];
  }
  const real coupling = latent * reciprocal(1.0 + latent * sum_weight);
  for (int k = 0; k < 5; ++k) family->shared[k] = coupling * p[k];
  for (int i = 0; i < count; ++i) {
    family->offset[i] -= family->weight[i] * coupling * sum_offset;
    const real offset = family->offset[i] * direction[i];
    for (int k = 0; k < 5; ++k) {
      const real wP = family->weight[i] * P[i][k];
      system->u[k] += offset * P[i][k];
      for (int l = 0; l <= k; ++l) system->K[k * (k + 1) / 2 + l] += wP * P[i][l];
    }
  }
  for (int k = 0; k < 5; ++k)
    for (int l = 0; l <= k; ++l) system->K[k * (k + 1) / 2 + l] -= family->shared[k] * p[l];
}

INLINE real dot5(const double P[5], const real t[5]) {
  return P[0] * t[0] + P[1] * t[1] + P[2] * t[2] + P[3] * t[3] + P[4] * t[4];
}

/* Increments after a Newton step that changed the resolved deviator by dt; rates of slip and twinning never reverse. */
INLINE void back_substitute(int count, const Eliminated *family, const real direction[], const double P[][5],
                            const real dt[5], mask going, real x[]) {
  real common = splat(0);
  for (int k = 0; k < 5; ++k) common += family->shared[k] * dt[k];
  for (int i = 0; i < count; ++i) {
    const real change = family->weight[i] * (direction[i] * dot5(P[i], dt) - common) + family->offset[i];
    x[i] = choose(going, positive(x[i] + change), x[i]);
  }
}

/* A(lambda): how a tensor resolved in the parent reads on average over parent and twins, eq. (36). Symmetric. */
INLINE void twin_average(const Crystal *c, const real twin[], real A[5][5], real axial[3][3]) {
  real parent = splat(1);
  for (int b = 0; b < N_TWIN; ++b) parent -= twin[b];
  for (int i = 0; i < 5; ++i)
    for (int j = 0; j <= i; ++j) {
      real v = i == j ? parent : splat(0);
      for (int b = 0; b < N_TWIN; ++b) v += c->reflect[b][i][j] * twin[b];
      A[i][j] = A[j][i] = v;
    }
  for (int i = 0; i < 3; ++i)
    for (int j = 0; j <= i; ++j) {
      real v = i == j ? parent : splat(0);
      for (int b = 0; b < N_TWIN; ++b) v += c->reflect_axial[b][i][j] * twin[b];
      axial[i][j] = axial[j][i] = v;
    }
}

INLINE void apply5(const real A[5][5], const real x[5], real y[5]) {
  for (int i = 0; i < 5; ++i) y[i] = A[i][0] * x[0] + A[i][1] * x[1] + A[i][2] * x[2] + A[i][3] * x[3] + A[i][4] * x[4];
}

/* K <- A K A for symmetric A and K. */
INLINE void congruence(const real A[5][5], real K[15]) {
  real full[5][5], half[5][5];
  for (int i = 0; i < 5; ++i)
    for (int j = 0; j <= i; ++j) full[i][j] = full[j][i] = K[i * (i + 1) / 2 + j];
  for (int i = 0; i < 5; ++i) apply5(A, full[i], half[i]); /* half = K A */
  for (int i = 0; i < 5; ++i)
    for (int j = 0; j <= i; ++j) {
      real v = splat(0);
      for (int k = 0; k < 5; ++k) v += A[i][k] * half[k][j];
      K[i * (i + 1) / 2 + j] = v;
    }
}

INLINE void resolve(const Crystal *c, const real t[5], real tau[]) {
  for (int i = 0; i < N_SLIP; ++i) tau[i] = dot5(c->schmid[i], t);
}

/* Logarithm of the increment of F_in: L_p + L_t of eqs. (36), (37), times the step. */
INLINE void inelastic_increment(const Crystal *c, const real A[5][5], const real axial[3][3], const real slip[],
                                const real direction[], const real twin[], real D[9]) {
  real d[5] = {{0}}, w[3] = {{0}}, s[5], r[3];
  for (int i = 0; i < N_SLIP; ++i) {
    const real x = slip[i] * direction[i];
    for (int k = 0; k < 5; ++k) d[k] += x * c->schmid[i][k];
    for (int k = 0; k < 3; ++k) w[k] += x * c->spin[i][k];
  }
  apply5(A, d, s);
  for (int k = 0; k < 3; ++k) r[k] = axial[k][0] * w[0] + axial[k][1] * w[1] + axial[k][2] * w[2];
  for (int b = 0; b < N_TWIN; ++b) {
    for (int k = 0; k < 5; ++k) s[k] += twin[b] * c->twin_schmid[b][k];
    for (int k = 0; k < 3; ++k) r[k] += twin[b] * c->twin_spin[b][k];
  }
  from_deviator5_and_axial(s, r, D);
}

/* Deviatoric Mandel stress of elastic deformation X, eq. (29); returns tr(X^T X) / 3. */
INLINE real mandel_deviator(const real X[9], real modulus, real s[5]) {
  const real C11 = X[0] * X[0] + X[3] * X[3] + X[6] * X[6], C22 = X[1] * X[1] + X[4] * X[4] + X[7] * X[7];
  const real C33 = X[2] * X[2] + X[5] * X[5] + X[8] * X[8], C23 = X[1] * X[2] + X[4] * X[5] + X[7] * X[8];
  const real C13 = X[0] * X[2] + X[3] * X[5] + X[6] * X[8], C12 = X[0] * X[1] + X[3] * X[4] + X[6] * X[7];
  deviator5(C11, C22, C33, C23, C13, C12, s);
  for (int k = 0; k < 5; ++k) s[k] *= modulus;
  return (C11 + C22 + C33) * (1.0 / 3.0);
}

static const int family_ends[N_FAMILIES] = FAMILY_ENDS;

/* Slip under resolved shear stresses tau against (H e) + sigma_inf (1 - exp(-h e / sigma_inf)). */
INLINE void slip_rates(const Crystal *c, real h, const State *base, const Increment *inc, const real tau[],
                       Rates *rates) {
  for (int m = 0, first = 0; m < N_FAMILIES; first = family_ends[m++]) {
    const double saturation = c->saturation[m], sharpness = saturation > 0.0 ? c->hardening[m] / saturation : 0.0;
    real total = splat(0);
    for (int i = first; i < family_ends[m]; ++i) total += base->slip[i] + inc->slip[i];
    for (int i = first; i < family_ends[m]; ++i) {
      const real e = base->slip[i] + inc->slip[i];
      const real left = saturation > 0.0 ? exp_negative(e * -sharpness) : splat(0);
      const real resistance = saturation * (1.0 - left) + c->latent[m] * (total - e);
      rates->direction[i] = with_sign_of(splat(1), tau[i]);
      rates->slope[i] = c->hardening[m] * left;
      flow(rates, i, (magnitude(tau[i]) - resistance) * (1.0 / c->strength[m]), inc->slip[i], h * c->rate[m],
           c->strength[m], c->rate_exponent);
    }
  }
}

/* Overstress over strength of twin b; total: sum of the fractions `twin`. */
INLINE real overstress(const Crystal *c, int b, const real twin[], real total, const real s[5]) {
  const real back = 2.0 * c->twin_interaction * (total - twin[b]) + c->twin_hardening * twin[b];
  return (dot5(c->twin_schmid[b], s) - back) * (1.0 / c->twin_strength);
}

/* Twinning under the Mandel deviator s, growth only. A held lane has no residual: its increments are given. */
INLINE void twin_rates(const Crystal *c, real h, const real twin[], const Increment *inc, mask held, const real s[5],
                       Rates *rates) {
  real total = splat(0);
  for (int b = 0; b < N_TWIN; ++b) total += twin[b];
  for (int b = 0; b < N_TWIN; ++b) {
    const int i = N_SLIP + b;
    const real f = overstress(c, b, twin, total, s);
    rates->direction[i] = splat(1);
    rates->slope[i] = splat(c->twin_hardening);
    rates->dissipation += choose(held, positive(f) * c->twin_strength * inc->twin[b], splat(0));
    flow(rates, i, choose(held, splat(-1), f), choose(held, splat(0), inc->twin[b]), h * c->twin_rate,
         c->twin_strength, c->rate_exponent);
  }
}

/* One Newton step for s and the increments, in the lanes that are `going`; `gap` is the residual of s. */
INLINE void newton_step(const Crystal *c, const real A[5][5], const Rates *rates, real stiffness, const real gap[5],
                        mask going, mask held, real s[5], Increment *inc) {
  Condensed system = {.u = {{0}}};
  Eliminated family[N_FAMILIES], twins;
  for (int m = 0, first = 0; m < N_FAMILIES; first = family_ends[m++])
    eliminate(first, family_ends[m] - first, rates, c->schmid + first, c->latent[m], &family[m], &system);
  congruence(A, system.K); /* slip sees t = A s, and its shear comes back through A */
  real u[5], ds[5], dt[5];
  apply5(A, system.u, u);
  memcpy(system.u, u, sizeof u);
  if (N_TWIN)
    eliminate(N_SLIP, N_TWIN, rates, c->twin_schmid, 2.0 * c->twin_interaction, &twins, &system);
  for (int k = 0; k < 5; ++k) ds[k] = gap[k] - stiffness * system.u[k];
  solve5(system.K, stiffness, ds);
  apply5(A, ds, dt);
  for (int k = 0; k < 5; ++k) s[k] = choose(going, s[k] + ds[k], s[k]);
  for (int m = 0, first = 0; m < N_FAMILIES; first = family_ends[m++])
    back_substitute(family_ends[m] - first, &family[m], rates->direction + first, c->schmid + first, dt, going,
                    inc->slip + first);
  if (N_TWIN)
    back_substitute(N_TWIN, &twins, rates->direction + N_SLIP, c->twin_schmid, ds, going & ~held, inc->twin);
}

/* What the increments of a stage make of F_in, with slip in the direction of the Mandel deviator s; returns the
 * shear stresses tau that slip resolves in A s too. */
static void total_increment(const Crystal *c, const State *base, const real s[5], Increment *inc, real A[5][5],
                            real tau[]) {
  real twin[TWINS], axial[3][3], t[5], direction[N_SLIP];
  for (int b = 0; b < N_TWIN; ++b) twin[b] = base->twin[b] + inc->twin[b];
  twin_average(c, twin, A, axial);
  apply5(A, s, t);
  resolve(c, t, tau);
  for (int i = 0; i < N_SLIP; ++i) direction[i] = with_sign_of(splat(1), tau[i]);
  inelastic_increment(c, A, axial, inc->slip, direction, inc->twin, inc->D);
}

/* One backward-Euler problem over h from `base` to the deformation F (in crystal legs). s, inc: guess in, solution
 * out. held: lanes whose twin increments are given and stay. Returns the lanes that converged. */
static mask solve_stage(const Crystal *c, const real F[9], real h, const State *base, mask held, real s[5],
                        Increment *inc) {
  const double tolerance = c->newton_tolerance * c->newton_tolerance;
  const real J = det(F), modulus = c->shear_modulus * inverse_cube_root(J * J);
  real trial[9], A[5][5], tau[N_SLIP], before = splat(0);
  product(F, base->plastic_inverse, trial);
  mask converged = {0};
  for (int iteration = 0;; ++iteration) {
    real twin[TWINS], E[9], X[9], gap[5];
    total_increment(c, base, s, inc, A, tau);
    for (int b = 0; b < N_TWIN; ++b) twin[b] = base->twin[b] + inc->twin[b];
    Rates rates; /* not set to zero as a whole: that took a twentieth of the time */
    rates.worst = rates.dissipation = splat(0);
    slip_rates(c, h, base, inc, tau, &rates);
    twin_rates(c, h, twin, inc, held, s, &rates);
    inc->dissipation = choose(converged, inc->dissipation, rates.dissipation);

    exp_minus(inc->D, E);
    product(trial, E, X);
    const real stiffness = 2.0 * modulus * mandel_deviator(X, modulus, gap);
    real error = splat(0); /* squared, of a norm that a turned crystal has too */
    for (int k = 0; k < 5; ++k) {
      gap[k] -= s[k];
      error += gap[k] * gap[k];
    }
    error = larger(rates.worst * rates.worst * (4.0 * c->shear_modulus * c->shear_modulus), error);
    /* A guess is never taken for a solution unless it is one to rounding: in short steps all increments are below
     * the tolerance, and slow flow would stand still. Comparisons are false for NaN. */
    converged |= error < (iteration ? tolerance : 1e-12 * tolerance);
    if (iteration >= c->max_iterations || !any(~converged)) return converged;
    newton_step(c, A, &rates, stiffness, gap, ~converged, held, s, inc);
    /* The iteration contracts by the same factor each time, about the elastic strain: where the next residual is
     * sure to be small enough nobody has to look. */
    if (iteration) converged |= error * error < 0.25 * tolerance * before;
    if (!any(~converged)) break;
    before = error;
  }
  total_increment(c, base, s, inc, A, tau);
  return converged;
}
#endif
