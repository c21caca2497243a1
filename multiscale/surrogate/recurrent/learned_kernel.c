/* The recurrent surrogate at material points: the equations of multiscale/surrogate/recurrent/network.py and increments.py.
 * State and stretch are in double precision, the network in that of `weight`.
 *
 * Points fill the lanes of vectors; they never mix, and every point takes the same instructions, so a result
 * does not depend on the batch it was computed in. Sizes and constants are those of
 * multiscale/surrogate/recurrent/architecture.py, which this is compiled with. */
#include "microscale/paths/flow_clocks.h"
#include "microscale/native/points.h"

typedef double number;
#ifdef SINGLE
typedef float weight;
#else
typedef double weight;
#endif
#define POINTS (2 * VECTOR_BYTES / (int)sizeof(weight)) /* of a block: two vectors for each weight that is loaded */
#include "recurrent_step.h"

#include "learned_steps.h"

#define KINDS (3 + LONGEST)
#define ROUNDING 1e-12 /* strain increments below are rounding and have no rate */

typedef struct {
  double shear_modulus, lambda_e;                        /* GPa */
  double largest_shape, largest_rate, smallest_J, largest_J; /* training range: ln m, 1/us, det F */
  double elastic_limit, longest[LONGEST];                /* of flow_clocks.h: us, us, strain */
  double shares[GROUPS];                                 /* weights of the groups; their sum is one */
  Network network;
} Surrogate;

/* How far a step ends beyond the training range, relative to it and zero inside, by kind: shape, rate, volume, and
 * what the clocks show. */
INLINE void beyond(const Surrogate *s, const Points *p, real shape, real clock[CLOCKS], real excess[KINDS]) {
  real strain[5], shown[LONGEST];
  const real rate = choose(p->size > ROUNDING, p->size / (p->dt + TINY), splat(0));
  excess[0] = positive(shape * (1.0 / s->largest_shape) - 1.0);
  excess[1] = positive(rate * (1.0 / s->largest_rate) - 1.0);
  excess[2] = positive(larger(p->J * (1.0 / s->largest_J), s->smallest_J / p->J) - 1.0);
  for (int k = 0; k < 5; ++k) strain[k] = 0.5 * p->driven[k];
  flow_clocks(s->elastic_limit, strain, p->dt, clock, shown);
  for (int k = 0; k < LONGEST; ++k) excess[3 + k] = positive(shown[k] * (1.0 / s->longest[k]) - 1.0);
}

/* Keep the worst of points, and for how long they have been outside; count those that were not before. */
INLINE void mark(const real excess[KINDS], real dt, const Block *b, double *worst, double *outside,
                 double *extrapolation, long newly[KINDS + 1]) {
  real before[KINDS], time, most_before, most = splat(0);
  mask lane, fresh[KINDS + 1];
  for (int l = 0; l < LANES; ++l) lane[l] = l;
  const mask used = lane < b->lanes;
  gather(worst, b, KINDS, before);
  gather(outside, b, 1, &time);
  gather(extrapolation, b, 1, &most_before);
  time += choose(most_before > 0.0, dt, splat(0));
  for (int k = 0; k < KINDS; ++k) {
    most = larger(excess[k], most);
    fresh[k] = (before[k] == 0.0) & (excess[k] > 0.0) & used;
    before[k] = larger(excess[k], before[k]);
  }
  fresh[KINDS] = (most_before == 0.0) & (most > 0.0) & used;
  most = larger(most, most_before);
  scatter(before, b, KINDS, worst);
  scatter(&time, b, 1, outside);
  scatter(&most, b, 1, extrapolation);
  for (int k = 0; k <= KINDS; ++k)
    if (any(fresh[k]))
      for (int l = 0; l < LANES; ++l) newly[k] -= fresh[k][l];
}

/* P = R T U^-1 with T = G s + J 2 lambda_e (J - 1) I, s the mean of the groups. */
INLINE void piola(const Surrogate *s, const Points *p, const real z[ELASTIC], real P[9]) {
  const real zero[3] = {splat(0), splat(0), splat(0)};
  real T[9], A[9], mean[5];
  for (int k = 0; k < 5; ++k) {
    mean[k] = splat(0);
    for (int g = 0; g < GROUPS; ++g) mean[k] += s->shares[g] * z[g * DEVIATOR + k];
  }
  from_deviator5_and_axial(mean, zero, T);
  for (int i = 0; i < 9; ++i) T[i] *= s->shear_modulus * STRAIN_SCALE;
  const real pressure = 2.0 * s->lambda_e * p->J * (p->J - 1.0);
  for (int i = 0; i < 9; i += 4) T[i] += pressure;
  product(T, p->inverse, A);
  product(p->R, A, P);
}

/* Advance n points. Arrays: F (n, 9), dt (n), stretch (n, 6), elastic strains (n, ELASTIC; over the strain scale),
 * other deviators (n, 5 TENSORS), scalars (n, SCALARS), clocks (n, CLOCKS), how long the training range was
 * left (n), how far by kind (n, KINDS) and at all (n), P (n, 9). Adds to `newly` how many points left
 * it for the first time, by kind and at all. */
void learned_update(const Surrogate *s, long n, const double *F, const double *dt, double *stretch, double *elastic,
                    double *tensors, double *scalars, double *clocks, double *outside, double *worst,
                    double *extrapolation, double *P, long newly[KINDS + 1]) {
  const unsigned int mode = flush_tiny();
  for (long start = 0; start < n; start += POINTS) {
    Points p[STRIDE];
    Step step[STRIDE];
    State z[STRIDE];
    Given given;
    Block block[STRIDE];
    int parts = 1;
    for (int v = 0; v < STRIDE; ++v) {
      const Block *b = &block[v];
      real Fv[9];
      block[v] = block_at(start + v * LANES, n);
      gather(F, b, 9, Fv);
      gather(dt, b, 1, &p[v].dt);
      gather(stretch, b, 6, p[v].from);
      gather(elastic, b, ELASTIC, z[v]);
      gather(tensors, b, SCALARS_FROM - ELASTIC, z[v] + ELASTIC);
      gather(scalars, b, SCALARS, z[v] + SCALARS_FROM);
      kinematics(Fv, &p[v]);
      for (int l = 0; l < LANES; ++l) parts = p[v].parts[l] > parts ? (int)p[v].parts[l] : parts;
    }
    for (int part = 1; part <= parts; ++part) {
      for (int v = 0; v < STRIDE; ++v) next_part(&p[v], part, z[v], &step[v]);
      advance(&s->network, step, z, &given);
    }
    for (int v = 0; v < STRIDE; ++v) {
      const Block *b = &block[v];
      real Pv[9], clock[CLOCKS], excess[KINDS];
      gather(clocks, b, CLOCKS, clock);
      beyond(s, &p[v], step[v].features[SHAPE], clock, excess); /* the last part ends where the step does */
      piola(s, &p[v], z[v], Pv);
      scatter(p[v].to, b, 6, stretch);
      scatter(z[v], b, ELASTIC, elastic);
      scatter(z[v] + ELASTIC, b, SCALARS_FROM - ELASTIC, tensors);
      scatter(z[v] + SCALARS_FROM, b, SCALARS, scalars);
      scatter(Pv, b, 9, P);
      scatter(clock, b, CLOCKS, clocks);
      mark(excess, p[v].dt, b, worst, outside, extrapolation, newly);
    }
  }
  leave_tiny(mode);
}
