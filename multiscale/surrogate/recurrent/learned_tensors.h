/* Deviators of the recurrent surrogate at material points: what the network reads of them, and the targets it gives
 * (multiscale/surrogate/recurrent/network.py). A deviator has the components of lanes.h. */
#pragma once
#include "learned_steps.h"

#define SMALL 1e-12 /* rounds norms of the elastic strain off */
#define RATE (DIRECTION + DEVIATOR)
#define SCALARS_FROM (DEVIATOR * DEVIATORS) /* of the state */
#define ALONG DEVIATORS /* among the deviators that are read: direction of the step, odd and even strain */
#define ODD (DEVIATORS + 1)
/* Among the tensors of which targets are combinations: mean elastic strain, products, the state's. */
#define MEAN OF_STEP
#define FIRST_PRODUCT (MEAN + 1)
#define MOVED (FIRST_PRODUCT + PRODUCTS)

typedef real deviator[DEVIATOR];

INLINE real dot(const deviator a, const deviator b) {
  real sum = a[0] * b[0];
  for (int k = 1; k < DEVIATOR; ++k) sum += a[k] * b[k];
  return sum;
}

/* p = dev((A B + B A) / 2). */
INLINE void symmetric_product(const deviator a, const deviator b, deviator p) {
  const double r2 = 0.5 / R2, r6 = 1.0 / R6;
  p[0] = r6 * (a[0] * b[0] - a[1] * b[1] - a[4] * b[4] + 0.5 * (a[2] * b[2] + a[3] * b[3]));
  p[1] = r2 * (a[3] * b[3] - a[2] * b[2]) - r6 * (a[0] * b[1] + a[1] * b[0]);
  p[2] = r2 * (a[3] * b[4] + a[4] * b[3] - a[1] * b[2] - a[2] * b[1]) + 0.5 * r6 * (a[0] * b[2] + a[2] * b[0]);
  p[3] = r2 * (a[2] * b[4] + a[4] * b[2] + a[1] * b[3] + a[3] * b[1]) + 0.5 * r6 * (a[0] * b[3] + a[3] * b[0]);
  p[4] = r2 * (a[2] * b[3] + a[3] * b[2]) - r6 * (a[0] * b[4] + a[4] * b[0]);
}

/* |a> = a / (1 + a.a)^(1/2). */
INLINE void bound(const deviator a, deviator out) {
  const real factor = inverse_root(1.0 + dot(a, a));
  for (int k = 0; k < DEVIATOR; ++k) out[k] = factor * a[k];
}

INLINE void mean_of_groups(const real z[ELASTIC], deviator mean) {
  for (int k = 0; k < DEVIATOR; ++k) {
    mean[k] = splat(0);
    for (int g = 0; g < GROUPS; ++g) mean[k] += z[g * DEVIATOR + k] * (1.0 / GROUPS);
  }
}

/* Deviator of a strain measure in the features, a Mandel vector 11, 22, 33, 23, 13, 12. */
INLINE void deviator_of_mandel(const real *x, deviator out) {
  out[0] = (2.0 * x[2] - x[0] - x[1]) * (1.0 / R6);
  out[1] = (x[0] - x[1]) * (1.0 / R2);
  for (int k = 2; k < DEVIATOR; ++k) out[k] = x[1 + k];
}

/* Deviators of the state, bounded, and of a step, as the network reads them, and products. */
typedef struct {
  deviator of[READ], products[PRODUCTS];
  deviator along[DEVIATORS]; /* product of each of the state's with the direction */
} Tensors;

INLINE void tensors_of(const real features[FEATURES], const real z[STATES], Tensors *t) {
  deviator mean;
  mean_of_groups(z, mean);
  bound(mean, mean);
  for (int g = 0; g < GROUPS; ++g) bound(z + g * DEVIATOR, t->of[g]);
  memcpy(t->of[GROUPS], z + ELASTIC, TENSORS * sizeof(deviator));
  memcpy(t->of[ALONG], features + DIRECTION, sizeof(deviator));
  deviator_of_mandel(features, t->of[ODD]);
  deviator_of_mandel(features + 6, t->of[ODD + 1]);
  symmetric_product(t->of[ALONG], t->of[ODD], t->products[0]);
  symmetric_product(t->of[ALONG], mean, t->products[1]);
  symmetric_product(mean, t->of[ODD], t->products[2]);
  symmetric_product(mean, mean, t->products[3]);
  symmetric_product(t->of[ALONG], t->of[ALONG], t->products[4]);
  for (int i = 0; i < DEVIATORS; ++i) symmetric_product(t->of[i], t->of[ALONG], t->along[i]);
}

/* What the network reads of a state and a step, into vector v of x. */
INLINE void invariants(const Tensors *t, const real features[FEATURES], const real z[STATES], int v,
                       real (*x)[VECTORS]) {
  for (int l = 0; l < SCALARS; ++l) (*x++)[v] = z[SCALARS_FROM + l];
  for (int i = 0; i < DEVIATORS; ++i) {
    for (int p = 0; p < PRODUCTS; ++p) (*x++)[v] = dot(t->of[i], t->products[p]);
    (*x++)[v] = dot(t->of[i], t->along[i]);
  }
  for (int i = 0; i < READ; ++i)
    for (int j = i; j < READ; ++j) (*x++)[v] = dot(t->of[i], t->of[j]);
  x[0][v] = features[SHAPE];
  x[1][v] = features[RATE];
  x[2][v] = features[RATE + 1];
  x[3][v] = features[0] + features[1] + features[2];
  x[4][v] = features[6] + features[7] + features[8];
}

/* Bounded targets of the deviators, combinations with coefficients the network gave; moved: elastic strains as the step
 * has carried them along. */
INLINE void targets_of(const Tensors *t, const real moved[ELASTIC], const real (*coefficients)[VECTORS], int v,
                       deviator *target) {
  deviator basis[BASIS];
  memcpy(basis, t->of[ALONG], OF_STEP * sizeof(deviator));
  mean_of_groups(moved, basis[MEAN]);
  memcpy(basis + FIRST_PRODUCT, t->products, sizeof t->products);
  memcpy(basis + MOVED, moved, ELASTIC * sizeof(real));
  memcpy(basis + MOVED + GROUPS, t->of[GROUPS], TENSORS * sizeof(deviator));
  for (int i = 0; i < DEVIATORS; ++i) {
    const real(*own)[VECTORS] = coefficients + i * COEFFICIENTS;
    deviator sum;
    for (int k = 0; k < DEVIATOR; ++k) sum[k] = own[BASIS][v] * t->along[i][k];
    for (int b = 0; b < BASIS; ++b)
      for (int k = 0; k < DEVIATOR; ++k) sum[k] += own[b][v] * basis[b][k];
    bound(sum, target[i]);
  }
}
