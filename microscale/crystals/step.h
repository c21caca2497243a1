/* Sub-steps of viscoplastic crystals over the intervals of their lanes: the paper's SI-A in time.
 *
 * The two-stage, second-order, L-stable SDIRK method (Alexander 1977) with the exponential map for F_in, so that
 * det F_in stays one. Both stages are one backward-Euler problem (stage.h) from a shifted base. Sub-steps are
 * cut, lane by lane, where the error estimate, twins that compete or the iteration ask for it. */
#ifndef CRYSTAL_STEP_H
#define CRYSTAL_STEP_H

#include "stage.h"

/* Smallest sub-step, of the step asked for. At a twin fraction of one half eq. (36) leaves slip blind to shear that
 * the reflection reverses; the tens of GPa that build up there go off within 0.01 us, in steps of up to a second. */
#define SMALLEST_STEP 1e-11
#define SMALLEST_FOR_TWINS 1e-9 /* competition cuts no further: accuracy must not end in a failure */
#define FULL (1.0 - 4e-15) /* sum of twin fractions of a full crystal: at most one whatever the rounding */
#define GAMMA 0.29289321881345247560 /* 1 - 1/sqrt(2) */
/* Sub-steps that competition limits are this much shorter than it allows: else their error is one to rounding, and
 * rounding, which a rotation of the body changes, would say whether they are accepted. */
#define MARGIN 0.95
/* What the growth of competing twins over a sub-step, squared, counts for as an error, GPa. */
#define AT_STAKE 6.3
/* Rate of flow from which on a sub-step may make the whole error that is allowed, 1/us. */
#define FAST 3.2
/* Least share of it, in slow flow: far above what stages are solved to. */
#define LEAST 0.05

/* What each lane is at: its crystal goes from F0 to F1 (in crystal legs, linear in between) over dt; the share
 * `theta` of it is done, and the next sub-step tries another `width`. */
typedef struct {
  real F0[9], F1[9], dt, theta, width;
  State state;
} Interval;

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

/* Rate at which twins outgrow one another, 1/us, under the Mandel deviator s at given fractions.
 *
 * Twins harden one another far more than themselves, so that of two that grow one stops the other: with a_b the
 * derivative of the rate of twin b by its driving stress, a difference grows at 2K sqrt(a_1 a_2). Implicit steps
 * longer than that damp it, and their two stages agree: no error estimate sees it. The two best driven twins count. */
static real competition(const Crystal *c, const real twin[], const real s[5]) {
  real total = splat(0), best = splat(0), second = splat(0);
  for (int b = 0; b < N_TWIN; ++b) total += twin[b];
  for (int b = 0; b < N_TWIN; ++b) {
    const real f = overstress(c, b, twin, total, s);
    second = larger(smaller(f, best), second);
    best = larger(f, best); /* in this order a NaN is passed over */
  }
  const double scale = 2.0 * c->twin_interaction * c->twin_rate * c->rate_exponent / c->twin_strength;
  return scale * power(root(best * second), c->rate_exponent - 1.0);
}

/* Mandel deviator of the state at deformation F. */
INLINE void stress_at(const Crystal *c, const real F[9], const State *state, real s[5]) {
  real X[9];
  const real J = det(F);
  product(F, state->plastic_inverse, X);
  mandel_deviator(X, c->shear_modulus * inverse_cube_root(J * J), s);
}

/* Increments over h at the rates that a state has under the Mandel deviator s: a guess for the first stage. */
static void rates_at(const Crystal *c, real h, const State *state, const real s[5], Increment *inc) {
  real A[5][5], axial[3][3], t[5], tau[N_SLIP];
  Rates rates;
  rates.worst = rates.dissipation = splat(0);
  *inc = (Increment){.dissipation = splat(0)};
  twin_average(c, state->twin, A, axial);
  apply5(A, s, t);
  resolve(c, t, tau);
  slip_rates(c, h, state, inc, tau, &rates);
  twin_rates(c, h, state->twin, inc, (mask){0}, s, &rates);
  for (int i = 0; i < N_SLIP; ++i) inc->slip[i] = rates.residual[i];
  for (int b = 0; b < N_TWIN; ++b) inc->twin[b] = rates.residual[N_SLIP + b];
}

/* Error that a sub-step may make where D grows by `grown` over h, GPa. The overstress goes with the power m of the
 * rate, and it is a relative error of the overstress that errs the growth of twins, which slip would forget. */
INLINE real allowed_error(const Crystal *c, real grown, real h) {
  if (!N_TWIN) return splat(c->step_tolerance);
  const real rate = larger(smaller(grown / h * (1.0 / FAST), splat(1)), splat(1e-12));
  return c->step_tolerance * larger(exponential(logarithm(rate) * (1.0 / c->rate_exponent)), splat(LEAST));
}

/* Error of the embedded first-order solution and of twins that compete, over the tolerance. `growth`: of the
 * competition over the sub-step; h: of a stage. Twin fractions count by the stress with which they hold others back. */
INLINE real error_of(const Crystal *c, const Increment *first, const Increment *second, real growth, real h) {
  real change = splat(1e-60), grown = splat(0);
  for (int i = 0; i < 9; ++i) {
    const real difference = second->D[i] - first->D[i];
    change += difference * difference;
    grown += second->D[i] * second->D[i];
  }
  real error = 2.0 * c->shear_modulus * root(change);
  for (int b = 0; b < N_TWIN; ++b)
    error = larger(error, 2.0 * c->twin_interaction * magnitude(second->twin[b] - first->twin[b]));
  return larger(AT_STAKE * growth * growth / c->step_tolerance, error / allowed_error(c, root(grown), h));
}

/* The width of as few equal sub-steps of at most `width` as make up the rest. */
INLINE real even(real width, real rest) {
  real count = rest / width;
  for (int l = 0; l < LANES; ++l) count[l] = ceil(count[l]);
  return choose(width < rest, rest / count, rest);
}

/* A sub-step of `width` from the share x->theta on, where the Mandel deviator is s[0]: both stages and the state they
 * lead to. s: out, the deviators of the stages. Returns the lanes that converged. */
INLINE mask sub_step(const Crystal *c, const Interval *x, real width, real s[2][5], Increment *first, Increment *second,
                     State *next) {
  const State *state = &x->state;
  State base;
  real F[9], start[5];
  const real h = GAMMA * width * x->dt;
  memcpy(start, s[0], sizeof start);
  rates_at(c, h, state, start, first);
  between(x->F0, x->F1, x->theta + GAMMA * width, F);
  mask good = solve_stage_in_room(c, F, h, state, s[0], first);
  shift(state, first, (1.0 - GAMMA) / GAMMA, &base);
  between(x->F0, x->F1, x->theta + width, F);
  *second = *first; /* a better guess than none, as is a stress that goes on as it did */
  for (int k = 0; k < 5; ++k) s[1][k] = s[0][k] + (s[0][k] - start[k]);
  good &= solve_stage_in_room(c, F, h, &base, s[1], second);
  shift(&base, second, 1.0, next);
  const real volume = inverse_cube_root(det(next->plastic_inverse)); /* one but for the truncated exponential */
  for (int i = 0; i < 9; ++i) next->plastic_inverse[i] *= volume;
  return good;
}

/* Try a sub-step in the lanes that are `going`. Returns those that failed: no sub-step down to SMALLEST_STEP
 * converges within the tolerance. */
static mask try_step(const Crystal *c, Interval *x, mask going) {
  State *state = &x->state, next;
  Increment first, second;
  real F[9], s[2][5], factor;
  between(x->F0, x->F1, x->theta, F);
  stress_at(c, F, state, s[0]);
  real growth = competition(c, state->twin, s[0]) * x->dt;
  const real allowed = larger(MARGIN * sqrt(c->step_tolerance / AT_STAKE) / growth, splat(SMALLEST_FOR_TWINS));
  x->width = even(smaller(allowed, x->width), 1.0 - x->theta);
  const mask good = sub_step(c, x, x->width, s, &first, &second, &next);
  /* At the fractions of the start: a twin may have stopped another within the sub-step. */
  for (int stage = 0; stage < 2; ++stage) growth = larger(competition(c, state->twin, s[stage]) * x->dt, growth);

  growth = choose(x->width > SMALLEST_FOR_TWINS, growth * x->width, splat(0));
  const real error = error_of(c, &first, &second, growth, GAMMA * x->width * x->dt);
  const mask accepted = going & good & (error <= 1.0);
  accept_where(accepted, &next, state);
  x->theta += choose(accepted, x->width, splat(0));
  for (int l = 0; l < LANES; ++l) factor[l] = 0.9 / sqrt(error[l]);
  x->width *= choose(good, smaller(larger(factor, splat(0.2)), splat(4.0)), splat(0.25));
  return going & ~accepted & (x->width < SMALLEST_STEP);
}
#endif
