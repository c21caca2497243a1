/* Viscoplastic single crystals with slip and twinning, LANES at a time: eqs. (27)-(39) of the paper.
 *
 * Time integration: the two-stage, second-order, L-stable SDIRK method (Alexander 1977) with the exponential map
 * for F_in, so that det F_in stays one. Both stages are one backward-Euler problem `solve_stage` from a shifted base.
 * Unknowns of a stage: the deviatoric Mandel stress s (5) and the increments of slip and twin fraction; the latter
 * are eliminated family by family (self hardening diagonal, latent hardening of rank one), which leaves a symmetric
 * positive 5 x 5 system. Steps are cut, lane by lane, where the error estimate or the iteration asks for it. */
#include "lanes.h"

#ifndef N_SLIP /* set by the caller for its crystal */
#define N_SLIP 12
#define N_TWIN 6
#define N_FAMILIES 3
#define FAMILY_ENDS {3, 6, 12}
#endif
#define TWINS (N_TWIN ? N_TWIN : 1) /* no zero-sized arrays */
#define SMALL 1000 /* crystals that are not worth waking other threads for */
#define MAX_ITERATIONS 25
#define SMALLEST_STEP 1e-7 /* of the step asked for */
#define FULL (1.0 - 4e-15) /* sum of twin fractions of a full crystal: at most one whatever the rounding */
#define GAMMA 0.29289321881345247560 /* 1 - 1/sqrt(2) */

typedef struct { /* mirrored field by field in crystal_kernel.py */
  double shear_modulus, lambda_e, rate_exponent, step_tolerance, newton_tolerance;
  double hardening[N_FAMILIES], saturation[N_FAMILIES], latent[N_FAMILIES], strength[N_FAMILIES], rate[N_FAMILIES];
  double twin_hardening, twin_interaction, twin_strength, twin_rate, twin_shear;
  double schmid[N_SLIP][5], spin[N_SLIP][3], twin_schmid[TWINS][5], twin_spin[TWINS][3];
  double reflect[TWINS][5][5], reflect_axial[TWINS][3][3];
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
  real weight[12], offset[12], shared[5];
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
  real inverse[12], schur = splat(1), negative = splat(0);
  for (int i = 0; i < count; ++i) {
    inverse[i] = 1.0 / (1.0 + a[i] * (slope[i] - latent));
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
  const real coupling = latent / (1.0 + latent * sum_weight);
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

/* Slip under the resolved deviator t: tau against (H e) + sigma_inf (1 - exp(-h e / sigma_inf)). */
INLINE void slip_rates(const Crystal *c, real h, const State *base, const Increment *inc, const real t[5],
                       Rates *rates) {
  for (int m = 0, first = 0; m < N_FAMILIES; first = family_ends[m++]) {
    const double saturation = c->saturation[m], sharpness = saturation > 0.0 ? c->hardening[m] / saturation : 0.0;
    real total = splat(0);
    for (int i = first; i < family_ends[m]; ++i) total += base->slip[i] + inc->slip[i];
    for (int i = first; i < family_ends[m]; ++i) {
      const real e = base->slip[i] + inc->slip[i], tau = dot5(c->schmid[i], t);
      const real left = saturation > 0.0 ? exp_negative(e * -sharpness) : splat(0);
      const real resistance = saturation * (1.0 - left) + c->latent[m] * (total - e);
      rates->direction[i] = with_sign_of(splat(1), tau);
      rates->slope[i] = c->hardening[m] * left;
      flow(rates, i, (magnitude(tau) - resistance) * (1.0 / c->strength[m]), inc->slip[i], h * c->rate[m],
           c->strength[m], c->rate_exponent);
    }
  }
}

/* Twinning under the Mandel deviator s, growth only. A held lane has no residual: its increments are given. */
INLINE void twin_rates(const Crystal *c, real h, const real twin[], const Increment *inc, mask held, const real s[5],
                       Rates *rates) {
  real total = splat(0);
  for (int b = 0; b < N_TWIN; ++b) total += twin[b];
  for (int b = 0; b < N_TWIN; ++b) {
    const int i = N_SLIP + b;
    const real back = 2.0 * c->twin_interaction * (total - twin[b]) + c->twin_hardening * twin[b];
    const real f = (dot5(c->twin_schmid[b], s) - back) * (1.0 / c->twin_strength);
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

/* One backward-Euler problem over h from `base` to the deformation F (in crystal legs). s, inc: guess in, solution
 * out. held: lanes whose twin increments are given and stay. Returns the lanes that converged. */
static mask solve_stage(const Crystal *c, const real F[9], real h, const State *base, mask held, real s[5],
                        Increment *inc) {
  const real J = det(F), modulus = c->shear_modulus * inverse_cube_root(J * J);
  real trial[9];
  product(F, base->plastic_inverse, trial);
  mask converged = {0};
  for (int iteration = 0;; ++iteration) {
    real twin[TWINS], A[5][5], axial[3][3], t[5], E[9], X[9], gap[5];
    for (int b = 0; b < N_TWIN; ++b) twin[b] = base->twin[b] + inc->twin[b];
    twin_average(c, twin, A, axial);
    apply5(A, s, t);
    Rates rates = {.worst = splat(0), .dissipation = splat(0)};
    slip_rates(c, h, base, inc, t, &rates);
    twin_rates(c, h, twin, inc, held, s, &rates);
    inc->dissipation = rates.dissipation;

    inelastic_increment(c, A, axial, inc->slip, rates.direction, inc->twin, inc->D);
    exp_minus(inc->D, E);
    product(trial, E, X);
    const real stiffness = 2.0 * modulus * mandel_deviator(X, modulus, gap);
    real error = 2.0 * c->shear_modulus * rates.worst;
    for (int k = 0; k < 5; ++k) {
      gap[k] -= s[k];
      error = larger(error, magnitude(gap[k]));
    }
    converged |= error < c->newton_tolerance; /* false for NaN */
    if (iteration == MAX_ITERATIONS || !any(~converged)) return converged;
    newton_step(c, A, &rates, stiffness, gap, ~converged, held, s, inc);
  }
}

/* Solve a stage; where twins would fill more than the crystal, give them exactly the room left and solve again. */
static mask solve_stage_in_room(const Crystal *c, const real F[9], real h, const State *base, real s[5],
                                Increment *inc) {
  real room = splat(FULL), grown = splat(0), guess[5];
  for (int b = 0; b < N_TWIN; ++b) room -= base->twin[b];
  room = positive(room);
  const mask held = room < 1e-12;
  for (int b = 0; b < N_TWIN; ++b) inc->twin[b] = choose(held, splat(0), inc->twin[b]);
  memcpy(guess, s, sizeof guess);
  mask converged = solve_stage(c, F, h, base, held, s, inc);
  for (int b = 0; b < N_TWIN; ++b) grown += inc->twin[b];
  const mask full = converged & ~held & (grown > room);
  if (!any(full)) return converged;
  for (int b = 0; b < N_TWIN; ++b) inc->twin[b] = choose(full, inc->twin[b] * room / grown, inc->twin[b]);
  for (int k = 0; k < 5; ++k) s[k] = choose(full, guess[k], s[k]);
  return converged & solve_stage(c, F, h, base, held | full, s, inc);
}

/* Advance a state by `factor` times an increment; twin fractions never add up to more than one. */
INLINE void shift(const State *from, const Increment *inc, double factor, State *to) {
  real D[9], E[9], room = splat(FULL), grown = splat(0);
  for (int i = 0; i < 9; ++i) D[i] = inc->D[i] * factor;
  exp_minus(D, E);
  product(from->plastic_inverse, E, to->plastic_inverse);
  for (int i = 0; i < N_SLIP; ++i) to->slip[i] = from->slip[i] + factor * inc->slip[i];
  for (int b = 0; b < N_TWIN; ++b) {
    room -= from->twin[b];
    grown += factor * inc->twin[b];
  }
  room = positive(room); /* a full crystal may be full to rounding */
  const real allowed = choose(grown > room, room / grown, splat(1));
  for (int b = 0; b < N_TWIN; ++b) to->twin[b] = from->twin[b] + allowed * factor * inc->twin[b];
  to->dissipation = from->dissipation + factor * inc->dissipation;
}

INLINE void accept_where(mask accepted, const State *next, State *state) {
  const real *from = (const real *)next;
  real *to = (real *)state;
  for (size_t i = 0; i < sizeof(State) / sizeof(real); ++i) to[i] = choose(accepted, from[i], to[i]);
}

INLINE void between(const real F0[9], const real F1[9], real theta, real F[9]) {
  for (int i = 0; i < 9; ++i) F[i] = F0[i] + theta * (F1[i] - F0[i]);
}

/* Advance LANES crystals from F0 to F1 (both in crystal legs, linear in between) over dt. Returns the lanes that
 * failed: no step down to SMALLEST_STEP converged within the tolerance. */
static mask advance(const Crystal *c, const real F0[9], const real F1[9], real dt, State *state) {
  real theta = splat(0), width = splat(1), s[5], F[9], X[9];
  mask failed = {0};
  for (;;) {
    const mask going = (theta < 1.0 - 1e-12) & ~failed;
    if (!any(going)) return failed;
    width = smaller(width, 1.0 - theta);
    const real h = GAMMA * width * dt;
    between(F0, F1, theta, F);
    product(F, state->plastic_inverse, X);
    const real J = det(F);
    mandel_deviator(X, c->shear_modulus * inverse_cube_root(J * J), s);

    Increment first = {.dissipation = splat(0)}, second;
    State base, next;
    between(F0, F1, theta + GAMMA * width, F);
    mask good = solve_stage_in_room(c, F, h, state, s, &first);
    shift(state, &first, (1.0 - GAMMA) / GAMMA, &base);
    between(F0, F1, theta + width, F);
    second = first; /* a better guess than none */
    good &= solve_stage_in_room(c, F, h, &base, s, &second);
    shift(&base, &second, 1.0, &next);
    const real volume = inverse_cube_root(det(next.plastic_inverse)); /* one but for the truncated exponential */
    for (int i = 0; i < 9; ++i) next.plastic_inverse[i] *= volume;

    real error = splat(1e-30); /* of the embedded first-order solution, as a stress */
    for (int i = 0; i < 9; ++i) error = larger(error, magnitude(second.D[i] - first.D[i]));
    error *= 2.0 * c->shear_modulus / c->step_tolerance;
    const mask accepted = going & good & (error <= 1.0);
    accept_where(accepted, &next, state);
    theta += choose(accepted, width, splat(0));

    real factor;
    for (int l = 0; l < LANES; ++l) factor[l] = 0.9 / sqrt(error[l]);
    factor = smaller(larger(factor, splat(0.2)), splat(4.0));
    width *= choose(good, factor, splat(0.25));
    failed |= going & ~accepted & (width < SMALLEST_STEP);
  }
}

/* First Piola-Kirchhoff stress from the deviator of the Kirchhoff stress and the analytic pressure of eq. (29). */
static void piola(const Crystal *c, const double F[9], const double B[6], double P[9]) {
  double cof[9], J = 0.0;
  for (int i = 0; i < 3; ++i)
    for (int j = 0; j < 3; ++j) {
      const int a = (i + 1) % 3, b = (i + 2) % 3, d = (j + 1) % 3, e = (j + 2) % 3;
      cof[3 * i + j] = F[3 * a + d] * F[3 * b + e] - F[3 * a + e] * F[3 * b + d];
    }
  for (int j = 0; j < 3; ++j) J += F[j] * cof[j];
  const double modulus = c->shear_modulus / cbrt(J * J), mean = (B[0] + B[1] + B[2]) / 3.0;
  const double volumetric = 2.0 * c->lambda_e * (J - 1.0) * J;
  const double tau[9] = {modulus * (B[0] - mean) + volumetric, modulus * B[5], modulus * B[4],
                         modulus * B[5], modulus * (B[1] - mean) + volumetric, modulus * B[3],
                         modulus * B[4], modulus * B[3], modulus * (B[2] - mean) + volumetric};
  for (int i = 0; i < 3; ++i)
    for (int j = 0; j < 3; ++j) {
      double v = 0.0;
      for (int k = 0; k < 3; ++k) v += tau[3 * i + k] * cof[3 * k + j];
      P[3 * i + j] = v / J; /* tau F^-T */
    }
}

/* X X^T of the elastic deformation, packed 11 22 33 23 13 12. */
INLINE void left_cauchy_green(const real X[9], real B[6]) {
  static const int row[6] = {0, 1, 2, 1, 0, 0}, column[6] = {0, 1, 2, 2, 2, 1};
  for (int i = 0; i < 6; ++i) {
    const real *a = X + 3 * row[i], *b = X + 3 * column[i];
    B[i] = a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
  }
}

/* State arrays in memory: value k of lane l at base[k * stride + l * step]. Lanes past `count` repeat the last. */
INLINE void load(const double *base, long stride, long step, int count, int values, real *to) {
  if (step == 1 && count == LANES)
    for (int k = 0; k < values; ++k) memcpy(to + k, base + k * stride, sizeof(real));
  else
    for (int k = 0; k < values; ++k)
    for (int l = 0; l < LANES; ++l) to[k][l] = base[k * stride + (l < count ? l : count - 1) * step];
}

INLINE void store(double *base, long stride, long step, int count, int values, const real *from) {
  if (step == 1 && count == LANES)
    for (int k = 0; k < values; ++k) memcpy(base + k * stride, from + k, sizeof(real));
  else
    for (int k = 0; k < values; ++k)
    for (int l = 0; l < count; ++l) base[k * stride + l * step] = from[k][l];
}

INLINE int last_of(mask m, int count) {
  for (int l = 0; l < count; ++l)
    if (m[l]) return l;
  return -1;
}

/* Taylor polycrystal: n points, each with all grains under its own F; lanes are grains.
 * orientation (9, grains), weight (grains), state arrays (n, values, grains). Returns the first failed point or -1. */
long taylor_update(const Crystal *c, long n, long grains, const double *orientation, const double *weight,
                   const double *F, const double *dt, double *F_old, double *plastic_inverse, double *slip,
                   double *twin, double *dissipation, double *P, int threads) {
  long bad = n;
#pragma omp parallel for schedule(dynamic, 4) num_threads(threads) if (n * grains > SMALL) reduction(min : bad)
  for (long p = 0; p < n; ++p) {
    const double *F1p = F + 9 * p, *F0p = F_old + 9 * p;
    double B[6] = {0}, dissipated = 0.0;
    for (long first = 0; first < grains; first += LANES) {
      const int count = grains - first < LANES ? grains - first : LANES;
      double *Fi = plastic_inverse + 9 * p * grains + first, *e = slip + N_SLIP * p * grains + first;
      double *lambda = twin + N_TWIN * p * grains + first;
      real Q[9], F0[9], F1[9], X[9], b[6];
      State state;
      load(orientation + first, grains, 1, count, 9, Q);
      load(Fi, grains, 1, count, 9, state.plastic_inverse);
      load(e, grains, 1, count, N_SLIP, state.slip);
      load(lambda, grains, 1, count, N_TWIN, state.twin);
      state.dissipation = splat(0);
      for (int i = 0; i < 3; ++i)
        for (int j = 0; j < 3; ++j) {
          F0[3 * i + j] = F0p[3 * i] * Q[j] + F0p[3 * i + 1] * Q[3 + j] + F0p[3 * i + 2] * Q[6 + j];
          F1[3 * i + j] = F1p[3 * i] * Q[j] + F1p[3 * i + 1] * Q[3 + j] + F1p[3 * i + 2] * Q[6 + j];
        }
      if (last_of(advance(c, F0, F1, splat(dt[p]), &state), count) >= 0 && p < bad) bad = p;
      product(F1, state.plastic_inverse, X);
      left_cauchy_green(X, b);
      for (int l = 0; l < count; ++l) {
        for (int k = 0; k < 6; ++k) B[k] += weight[first + l] * b[k][l];
        dissipated += weight[first + l] * state.dissipation[l];
      }
      store(Fi, grains, 1, count, 9, state.plastic_inverse);
      store(e, grains, 1, count, N_SLIP, state.slip);
      store(lambda, grains, 1, count, N_TWIN, state.twin);
    }
    dissipation[p] += dissipated;
    piola(c, F1p, B, P + 9 * p);
    memcpy(F_old + 9 * p, F1p, 9 * sizeof(double));
  }
  return bad == n ? -1 : bad;
}

/* Single crystals: n points, each with its own F and orientation; lanes are points.
 * State arrays (n, values). Returns the first failed point or -1. */
long crystal_update(const Crystal *c, long n, const double *orientation, const double *F, const double *dt,
                    double *F_old, double *plastic_inverse, double *slip, double *twin, double *dissipation, double *P,
                    int threads) {
  long bad = n;
#pragma omp parallel for schedule(dynamic, 4) num_threads(threads) if (n > SMALL) reduction(min : bad)
  for (long first = 0; first < n; first += LANES) {
    const int count = n - first < LANES ? n - first : LANES;
    real Q[9], F0[9], F1[9], X[9], b[6], step[1];
    State state;
    load(orientation + 9 * first, 1, 9, count, 9, Q);
    load(F_old + 9 * first, 1, 9, count, 9, X);
    product(X, Q, F0);
    load(F + 9 * first, 1, 9, count, 9, X);
    product(X, Q, F1);
    load(dt + first, 1, 1, count, 1, step);
    load(plastic_inverse + 9 * first, 1, 9, count, 9, state.plastic_inverse);
    load(slip + N_SLIP * first, 1, N_SLIP, count, N_SLIP, state.slip);
    load(twin + N_TWIN * first, 1, N_TWIN, count, N_TWIN, state.twin);
    load(dissipation + first, 1, 1, count, 1, &state.dissipation);
    const int failed = last_of(advance(c, F0, F1, step[0], &state), count);
    if (failed >= 0 && first + failed < bad) bad = first + failed;
    product(F1, state.plastic_inverse, X);
    left_cauchy_green(X, b);
    for (int l = 0; l < count; ++l) {
      const double B[6] = {b[0][l], b[1][l], b[2][l], b[3][l], b[4][l], b[5][l]};
      piola(c, F + 9 * (first + l), B, P + 9 * (first + l));
    }
    memcpy(F_old + 9 * first, F + 9 * first, 9 * count * sizeof(double));
    store(plastic_inverse + 9 * first, 1, 9, count, 9, state.plastic_inverse);
    store(slip + N_SLIP * first, 1, N_SLIP, count, N_SLIP, state.slip);
    store(twin + N_TWIN * first, 1, N_TWIN, count, N_TWIN, state.twin);
    store(dissipation + first, 1, 1, count, 1, &state.dissipation);
  }
  return bad == n ? -1 : bad;
}
