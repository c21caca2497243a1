/* Johnson-Cook; see johnson_cook.py. */
#include "radial_tangent.h"

typedef struct {
  double shear_modulus, bulk_modulus, A, B, n, C, reference_rate, m, room, melting, kelvin_per_work;
} JohnsonCook;

typedef struct {
  real trial, stiffness, J, strain, temperature, dt; /* Kirchhoff stress, 3 G; state at the start of the step */
} Local;

INLINE real homologous(const JohnsonCook *k, real temperature) {
  return smaller(positive((temperature - k->room) * (1.0 / (k->melting - k->room))), splat(1));
}

/* Flow stress at and below the reference rate, GPa. */
INLINE real static_strength(const JohnsonCook *k, const Local *x) {
  return (k->A + k->B * raised(x->strain, k->n)) * (1.0 - raised(homologous(k, x->temperature), k->m));
}

/* Flow stress after a plastic strain increment `flow` > 0, GPa, and its derivative by it. */
INLINE real flow_stress(const JohnsonCook *k, const Local *x, real flow, real *slope) {
  const real strain = x->strain + flow, power = k->B * raised(strain, k->n);
  real rate = splat(1), rate_slope = splat(0), softening = splat(1), softening_slope = splat(0);
  if (k->C > 0.0) {
    const real relative = flow / (x->dt * k->reference_rate);
    rate = choose(relative > 1.0, 1.0 + k->C * logarithm(larger(relative, splat(1))), rate);
    rate_slope = choose(relative > 1.0, k->C / flow, rate_slope);
  }
  const real T = homologous(k, x->temperature + k->kelvin_per_work * (x->trial - x->stiffness * flow) * flow);
  if (any(T > 0.0)) {
    const real soft = raised(T, k->m), heating = k->kelvin_per_work * (x->trial - 2.0 * x->stiffness * flow);
    softening = 1.0 - soft;
    softening_slope = choose(T > 0.0, -k->m * soft * heating / (T * (k->melting - k->room)), softening_slope);
  }
  const real static_ = k->A + power;
  *slope = power * k->n / strain * rate * softening + static_ * (rate_slope * softening + rate * softening_slope);
  return static_ * rate * softening;
}

/* Equivalent plastic strain of a step: the root of trial - stiffness flow = J flow_stress(flow), or zero.
 *
 * Newton's iteration, kept inside a bracket: the left side falls from the trial stress to zero on
 * [0, trial / stiffness], where the flow stress is never negative. It starts from the flow at the rate of the last
 * step, and ends where the next change would be of the order of 1e-12 (quadratic convergence). Where it leaves the
 * bracket it goes on with the logarithms of flow and stress, or halves the bracket. A lane that has ended is left as it
 * is. Whether there is a root, that is plastic flow, is asked only where there is no such start, and
 * where the iteration leaves the bracket at zero: powers are most of the cost. */
INLINE real plastic_flow(const JohnsonCook *k, const Local *x, real guess) {
  real low = splat(0), high = x->trial / x->stiffness, flow = guess, yield = splat(-1);
  mask active = EVERY;
  if (k->C > 0.0) active &= x->dt > 0.0;
  const mask unknown = active & ~((guess > 0.0) & (guess < high));
  if (any(unknown)) {
    yield = x->J * static_strength(k, x);
    flow = choose(unknown, high - yield / x->stiffness, flow);
    active &= flow > 0.0;
  }
  flow = choose(active, flow, splat(0));
  for (int iteration = 0; iteration < 100 && any(active); ++iteration) {
    real slope;
    const real at = choose(active, flow, splat(1)); /* idle lanes divide by no zero */
    const real strength = flow_stress(k, x, at, &slope), excess = x->trial - x->stiffness * at - x->J * strength;
    low = choose(active & (excess > 0.0), at, low);
    high = choose(active & ~(excess > 0.0), at, high);
    const real change = excess / (x->stiffness + x->J * slope), next = at + change;
    const mask inside = active & (next > low) & (next <= high);
    mask outside = active & ~inside, ended = inside & (magnitude(change) <= 1e-6 * smaller(next, strength / x->stiffness));
    flow = choose(inside, next, flow);
    if (any(outside)) {
      if (any(outside & (yield < 0.0))) yield = x->J * static_strength(k, x);
      const mask elastic = outside & (low == 0.0) & (x->trial <= yield);
      /* Near no plastic strain the flow stress is a power of the flow: there the logarithms are nearly linear. */
      const real left = x->trial - x->stiffness * at, ratio = left / (x->J * strength), steps = strength / (at * slope);
      const real scaled = at * exponential(choose(left > 0.0, logarithm(larger(ratio, splat(1e-300))) * steps, splat(0)));
      const mask fits = (left > 0.0) & (slope > 0.0) & (scaled > low) & (scaled < high);
      flow = choose(outside, choose(elastic, splat(0), choose(fits, scaled, 0.5 * (low + high))), flow);
      ended |= elastic | (outside & (high - low <= 1e-15 * high));
    }
    active &= ~ended;
  }
  return flow;
}

/* Advance n points of Johnson-Cook; dt has a stride of 0 or 1. */
void johnson_cook_update(const JohnsonCook *k, long n, const double *F, const double *dt, long stride, double *plastic,
                         double *strain, double *dissipation, double *temperature, double *rate, double *P) {
  for (long first = 0; first < n; first += LANES) {
    const Block b = block_at(first, n);
    Trial t;
    trial_at(F, plastic, &b, k->shear_modulus, &t);
    Local x = {t.stress, splat(3.0 * k->shear_modulus), t.J, splat(0), splat(0), splat(*dt)};
    real last, work, Pv[9];
    gather(strain, &b, 1, &x.strain);
    gather(temperature, &b, 1, &x.temperature);
    if (stride) gather(dt, &b, 1, &x.dt);
    gather(rate, &b, 1, &last);
    const real flow = plastic_flow(k, &x, last * x.dt);
    const real ratio = flow_at(&b, &t, flow, 3.0 * k->shear_modulus, &work, plastic, strain, dissipation);
    last = choose(x.dt > 0.0, flow / x.dt, last);
    x.temperature += k->kelvin_per_work * work;
    scatter(&last, &b, 1, rate);
    scatter(&x.temperature, &b, 1, temperature);
    piola(&t, k->shear_modulus * ratio, k->bulk_modulus * t.J * (t.J - 1.0), Pv);
    scatter(Pv, &b, 9, P);
  }
}

/* The change of the flow stress by the trial stress, which heats. */
INLINE real by_heating(const JohnsonCook *k, const Local *x, real flow) {
  const real T = homologous(k, x->temperature + k->kelvin_per_work * (x->trial - x->stiffness * flow) * flow);
  const mask softens = (T > 0.0) & (T < 1.0);
  if (!any(softens)) return splat(0);
  real factor = k->A + k->B * raised(x->strain + flow, k->n);
  if (k->C > 0.0) factor *= 1.0 + k->C * logarithm(larger(flow / (x->dt * k->reference_rate), splat(1)));
  const real slope = k->m * raised(T, k->m) / (choose(softens, T, splat(1)) * (k->melting - k->room));
  return choose(softens, -factor * slope * k->kelvin_per_work * flow, splat(0));
}

/* How the flow changes with the trial stress and J: the root of trial - stiffness flow = J flow_stress(flow, trial). */
INLINE void by_trial(const JohnsonCook *k, const Local *x, Return *r) {
  const mask flows = r->flow > 0.0;
  const real flow = choose(flows, r->flow, splat(1)); /* idle lanes divide by no zero */
  real slope;
  const real strength = flow_stress(k, x, flow, &slope);
  slope = choose(strength > 0.0, slope, splat(0)); /* what has melted has no strength whatever the flow */
  const real stiffness = x->stiffness + x->J * slope;
  r->by_stress = choose(flows, (1.0 - x->J * by_heating(k, x, flow)) / stiffness, splat(0));
  r->by_J = choose(flows, -strength / stiffness, splat(0));
}

/* dP/dF (n, 81) of the step that johnson_cook_update makes. */
void johnson_cook_tangent(const JohnsonCook *k, long n, const double *F, const double *dt, long stride,
                          const double *plastic, const double *strain, const double *temperature, const double *rate,
                          double *tangent) {
  for (long first = 0; first < n; first += LANES) {
    const Block b = block_at(first, n);
    Trial t;
    trial_at(F, plastic, &b, k->shear_modulus, &t);
    Local x = {t.stress, splat(3.0 * k->shear_modulus), t.J, splat(0), splat(0), splat(*dt)};
    real last, dP[81];
    gather(strain, &b, 1, &x.strain);
    gather(temperature, &b, 1, &x.temperature);
    if (stride) gather(dt, &b, 1, &x.dt);
    gather(rate, &b, 1, &last);
    Return r = {.flow = plastic_flow(k, &x, last * x.dt)};
    r.mean = k->bulk_modulus * t.J * (t.J - 1.0), r.mean_slope = k->bulk_modulus * t.J * (2.0 * t.J - 1.0);
    by_trial(k, &x, &r);
    return_tangent(&t, &r, k->shear_modulus, dP);
    scatter(dP, &b, 81, tangent);
  }
}

/* Plastic flow of one local problem; for the tests. */
double johnson_cook_flow(const JohnsonCook *k, const double local[6], double guess) {
  const Local x = {splat(local[0]), splat(local[1]), splat(local[2]), splat(local[3]), splat(local[4]), splat(local[5])};
  return plastic_flow(k, &x, splat(guess))[0];
}
