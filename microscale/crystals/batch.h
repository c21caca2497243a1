/* Crystals of points and lanes that follow them: how a lane takes a crystal up and leaves it, and the stress of a point. */
#ifndef CRYSTAL_BATCH_H
#define CRYSTAL_BATCH_H

#include "step.h"

#define RESULTS 7 /* X X^T of the elastic deformation, packed 11 22 33 23 13 12, and dissipation */

/* n points with `grains` crystals each. Crystal q is grain q % grains of point q / grains; values of its state stand
 * in arrays (n, values, grains). orientation: (9, grains) for all points, or (n, 9, grains) where the points have their
 * own, which `own` tells; F, F_old (n, 9); dt (n). */
typedef struct {
  long grains;
  int own;
  const double *orientation, *F, *dt;
  double *F_old, *plastic_inverse, *slip, *twin;
} Batch;

INLINE void load(const double *array, const Batch *b, long point, long grain, int values, int lane, real *to) {
  const double *from = array + values * point * b->grains + grain;
  for (int k = 0; k < values; ++k) to[k][lane] = from[k * b->grains];
}

INLINE void store(double *array, const Batch *b, long point, long grain, int values, int lane, const real *from) {
  double *to = array + values * point * b->grains + grain;
  for (int k = 0; k < values; ++k) to[k * b->grains] = from[k][lane];
}

/* A lane begins with crystal q. */
static void take(const Batch *b, long q, int lane, Interval *x) {
  const long p = q / b->grains, grain = q - p * b->grains;
  const double *Q = b->orientation + (b->own ? 9 * p * b->grains : 0) + grain;
  for (int i = 0; i < 3; ++i)
    for (int j = 0; j < 3; ++j) {
      double old = 0.0, new = 0.0;
      for (int k = 0; k < 3; ++k) {
        old += b->F_old[9 * p + 3 * i + k] * Q[(3 * k + j) * b->grains];
        new += b->F[9 * p + 3 * i + k] * Q[(3 * k + j) * b->grains];
      }
      x->F0[3 * i + j][lane] = old;
      x->F1[3 * i + j][lane] = new;
    }
  load(b->plastic_inverse, b, p, grain, 9, lane, x->state.plastic_inverse);
  load(b->slip, b, p, grain, N_SLIP, lane, x->state.slip);
  load(b->twin, b, p, grain, N_TWIN, lane, x->state.twin);
  x->state.dissipation[lane] = x->theta[lane] = 0.0;
  x->width[lane] = 1.0;
  x->dt[lane] = b->dt[p];
}

/* X X^T of the elastic deformation of a lane's crystal, packed 11 22 33 23 13 12. */
static void elastic_of(const Interval *x, int lane, double result[6]) {
  static const int row[6] = {0, 1, 2, 1, 0, 0}, column[6] = {0, 1, 2, 2, 2, 1};
  double X[9];
  for (int i = 0; i < 3; ++i)
    for (int j = 0; j < 3; ++j) {
      X[3 * i + j] = 0.0;
      for (int k = 0; k < 3; ++k) X[3 * i + j] += x->F1[3 * i + k][lane] * x->state.plastic_inverse[3 * k + j][lane];
    }
  for (int i = 0; i < 6; ++i) {
    const double *r = X + 3 * row[i], *s = X + 3 * column[i];
    result[i] = r[0] * s[0] + r[1] * s[1] + r[2] * s[2];
  }
}

/* A lane is done with crystal q. */
static void leave(const Batch *b, long q, int lane, const Interval *x, double result[RESULTS]) {
  const long p = q / b->grains, grain = q - p * b->grains;
  elastic_of(x, lane, result);
  result[6] = x->state.dissipation[lane];
  store(b->plastic_inverse, b, p, grain, 9, lane, x->state.plastic_inverse);
  store(b->slip, b, p, grain, N_SLIP, lane, x->state.slip);
  store(b->twin, b, p, grain, N_TWIN, lane, x->state.twin);
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
#endif
