/* Viscoplastic single crystals and Taylor polycrystals over batches of points: the paper's SI-A in time.
 *
 * The two-stage, second-order, L-stable SDIRK method (Alexander 1977) with the exponential map for F_in, so that
 * det F_in stays one. Both stages are one backward-Euler problem (crystal_stage.h) from a shifted base. Steps are
 * cut, lane by lane, where the error estimate or the iteration asks for it. */
#include "crystal_stage.h"

#define SMALL 1000 /* crystals that are not worth waking other threads for */
/* Smallest sub-step, of the step asked for. At a twin fraction of one half eq. (36) leaves slip blind to shear that
 * the reflection reverses; the tens of GPa that build up there go off within 0.01 us, in steps of up to a second. */
#define SMALLEST_STEP 1e-11
#define FULL (1.0 - 4e-15) /* sum of twin fractions of a full crystal: at most one whatever the rounding */
#define GAMMA 0.29289321881345247560 /* 1 - 1/sqrt(2) */

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
    for (int l = 0; l < LANES; ++l) factor[l] = 0.8 / sqrt(error[l]);
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
