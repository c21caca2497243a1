/* The recurrent surrogate as the kernels of material points have it, update (learned_kernel.c) and tangent
 * (learned_tangent.c): the equations of multiscale/surrogate/recurrent/network.py and increments.py. State and stretch are
 * in double precision, the network in that of `weight`.
 *
 * Points fill the lanes of vectors; they never mix, and every point takes the same instructions, so a result
 * does not depend on the batch it was computed in. Sizes and constants are those of
 * multiscale/surrogate/recurrent/architecture.py, which this is compiled with. */
#ifndef LEARNED_SURROGATE_H
#define LEARNED_SURROGATE_H
#include "microscale/paths/flow_clocks.h"
#include "microscale/native/points.h"

typedef double number;
#ifdef SINGLE
typedef float weight;
#else
typedef double weight;
#endif
#if !defined(POINTS) && defined(ONE_LANE)
#define POINTS 32 /* of a block, which a compiler finds vectors in */
#elif !defined(POINTS)
#define POINTS (2 * VECTOR_BYTES / (int)sizeof(weight)) /* of a block: two vectors for each weight that is loaded */
#endif
#include "recurrent_step.h"

#include "learned_steps.h"

typedef struct {
  double shear_modulus, lambda_e;                        /* GPa */
  double largest_shape, largest_rate, smallest_J, largest_J; /* training range: ln m, 1/us, det F */
  double elastic_limit, longest[LONGEST];                /* of flow_clocks.h: us, us, strain */
  double shares[GROUPS];                                 /* weights of the groups; their sum is one */
  Network network;
} Surrogate;

/* s, the mean of the groups, over the strain scale. */
INLINE void mean_strain(const Surrogate *s, const real z[ELASTIC], real mean[DEVIATOR]) {
  for (int k = 0; k < DEVIATOR; ++k) {
    mean[k] = splat(0);
    for (int g = 0; g < GROUPS; ++g) mean[k] += s->shares[g] * z[g * DEVIATOR + k];
  }
}

/* T = G s + J 2 lambda_e (J - 1) I. */
INLINE void rotated_stress(const Surrogate *s, const Points *p, const real z[ELASTIC], real T[9]) {
  const real zero[3] = {splat(0), splat(0), splat(0)};
  real mean[DEVIATOR];
  mean_strain(s, z, mean);
  from_deviator5_and_axial(mean, zero, T);
  for (int i = 0; i < 9; ++i) T[i] *= s->shear_modulus * STRAIN_SCALE;
  const real pressure = 2.0 * s->lambda_e * p->J * (p->J - 1.0);
  for (int i = 0; i < 9; i += 4) T[i] += pressure;
}

/* First Piola-Kirchhoff stress P = R T U^-1. */
INLINE void piola(const Surrogate *s, const Points *p, const real z[ELASTIC], real P[9]) {
  real T[9], A[9];
  rotated_stress(s, p, z, T);
  product(T, p->inverse, A);
  product(p->R, A, P);
}
#endif
