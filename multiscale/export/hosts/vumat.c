/* Abaqus/Explicit's VUMAT: a column of each number over all points of a block. Stress and strain increments are in the
 * frame that turns by R of F = R U, so only U is asked for. Symmetric tensors are 11, 22, 33, 12, 23, 13 here; one shear
 * component, 12, in plane strain and axial symmetry. */
#include <string.h>

#include "points.h"

static const int packed[6] = {0, 1, 2, 4, 5, 3}; /* where 11, 22, 33, 23, 13, 12 are */

typedef struct {
  long n;
  int tensor; /* numbers of a symmetric tensor */
  double dt;
#if TEXTURE
  const double *texture;
#endif
  const double *stretch_old, *stretch, *state_old;
  double *stress, *state_new, *lost; /* elastic energy of a unit of the current volume that was lost in the step */
} Arrays;

/* Columns are too many for a processor to see what comes next: it is told, a block of points ahead. */
INLINE real column(const double *at, const Block *b) {
  real x;
#ifndef ONE_LANE
  __builtin_prefetch(at + b->first + POINTS);
  if (b->whole) return *(const doubles_anywhere *)(at + b->first);
#endif
  for (int l = 0; l < LANES; ++l) LANE(x, l) = at[b->point[l]];
  return x;
}

INLINE void to_column(real x, const Block *b, double *at) {
#ifndef ONE_LANE
  __builtin_prefetch(at + b->first + POINTS, 1);
  if (b->whole) {
    *(doubles_anywhere *)(at + b->first) = x;
    return;
  }
#endif
  for (int l = 0; l < b->lanes; ++l)
    if (!b->skipped[l]) at[b->point[l]] = LANE(x, l);
}

INLINE void stretches(const Arrays *a, const double *columns, const Block *block, real U[STRIDE][6]) {
  for (int k = 0; k < 6; ++k)
    for (int v = 0; v < STRIDE; ++v)
      U[v][k] = packed[k] < a->tensor ? column(columns + packed[k] * a->n, &block[v]) : splat(0);
}

/* Elastic energy in a unit of the reference's volume. The law has none of its own: this is that of the elastic strains of the
 * groups, and of the volume. */
INLINE real stored(const real z[ELASTIC], real J) {
  const double c = 0.25 * UNIT_OF_STRESS * surrogate.shear_modulus * STRAIN_SCALE * STRAIN_SCALE;
  real energy = UNIT_OF_STRESS * surrogate.lambda_e * (J - 1.0) * (J - 1.0);
  for (int k = 0; k < ELASTIC; ++k) energy += c * surrogate.shares[k / DEVIATOR] * z[k] * z[k];
  return energy;
}

/* Columns go one after another, and not block after block: they lie in pages of their own. */
INLINE void come(const Arrays *a, const Block *block, Points *p, State *z, Watch *w) {
  Row row[STRIDE];
  real U[STRIDE][6];
  for (int k = 0; k < NUMBERS; ++k)
    for (int v = 0; v < STRIDE; ++v) ((real *)&row[v])[k] = column(a->state_old + k * a->n, &block[v]);
  stretches(a, a->stretch_old, block, U);
  for (int v = 0; v < STRIDE; ++v) to_column(stored(row[v].z, det_symmetric(U[v])), &block[v], a->lost);
  stretches(a, a->stretch, block, U);
  for (int v = 0; v < STRIDE; ++v) {
    const real J = det_symmetric(U[v]);
    p[v].dt = splat(a->dt);
#if TEXTURE
    tell(a->texture, &p[v]);
#endif
    recall(&row[v], &p[v], z[v], &w[v]);
    towards(U[v], J, isochoric_scale(J), &p[v]);
  }
}

INLINE void leave(const Surrogate *s, const Arrays *a, const Block *block, const Points *p, const Step *step,
                  const State *z, Watch *w) {
  static const int of_six[6] = {0, 4, 8, 5, 2, 1};
  Row row[STRIDE];
  real sigma[STRIDE][9];
  for (int v = 0; v < STRIDE; ++v) {
    row[v] = row_after(s, &p[v], &step[v], z[v], &w[v]);
    rotated_stress(s, &p[v], z[v], sigma[v]);
    const real inverse_J = 1.0 / p[v].J;
    for (int i = 0; i < 9; ++i) sigma[v][i] *= UNIT_OF_STRESS * inverse_J;
    to_column((column(a->lost, &block[v]) - stored(z[v], p[v].J)) * inverse_J, &block[v], a->lost);
  }
  for (int k = 0; k < NUMBERS; ++k)
    for (int v = 0; v < STRIDE; ++v) to_column(((const real *)&row[v])[k], &block[v], a->state_new + k * a->n);
  for (int k = 0; k < 6; ++k)
    for (int v = 0; v < STRIDE; ++v)
      if (packed[k] < a->tensor) to_column(sigma[v][of_six[k]], &block[v], a->stress + packed[k] * a->n);
}

#include "multiscale/surrogate/recurrent/learned_blocks.h"

/* At time zero a host asks how stiff the material is, by strains that are not the body's: they leave no trace. */
static void elastic(long n, int tensor, const double *strain, const double *old, double *stress) {
  const double G = UNIT_OF_STRESS * surrogate.shear_modulus, lame = UNIT_OF_STRESS * 2.0 * surrogate.lambda_e - 2.0 / 3.0 * G;
  for (long p = 0; p < n; ++p) {
    const double trace = strain[p] + strain[n + p] + strain[2 * n + p];
    for (int k = 0; k < tensor; ++k)
      stress[k * n + p] = old[k * n + p] + 2.0 * G * strain[k * n + p] + (k < 3 ? lame * trace : 0.0);
  }
}

/* The work of the mean stress on strain increments, in a unit of volume. */
static double work_at(long n, int tensor, const double *old, const double *new, const double *strain, long p) {
  double work = 0.0;
  for (int k = 0; k < tensor; ++k) work += (k < 3 ? 0.5 : 1.0) * (old[k * n + p] + new[k * n + p]) * strain[k * n + p];
  return work;
}

/* A step of n points, with the arguments of a VUMAT by their names there. Energies are those of a unit of mass: internal
 * by the work of the mean stress, inelastic what is not stored of it. */
void LAW(vumat)(int nblock, int nshr, double stepTime, double totalTime, double dt, TOLD const double *density,
                const double *strainInc, const double *stretchOld, const double *stressOld, const double *stateOld,
                const double *enerInternOld, const double *enerInelasOld, const double *stretchNew, double *stressNew,
                double *stateNew, double *enerInternNew, double *enerInelasNew) {
  const long n = nblock;
  const int tensor = 3 + nshr;
  const Arrays a = {n, tensor, dt * UNIT_OF_TIME, TELL stretchOld, stretchNew, stateOld, stressNew, stateNew, enerInelasNew};
  const int asked = stepTime == 0.0 && totalTime == 0.0;
  if (asked) {
    elastic(n, tensor, strainInc, stressOld, stressNew);
    memcpy(stateNew, stateOld, (size_t)n * NUMBERS * sizeof *stateNew);
  } else {
    advance_points(&surrogate, &a, n);
  }
  for (long p = 0; p < n; ++p) {
    const double work = work_at(n, tensor, stressOld, stressNew, strainInc, p), lost = asked ? -work : enerInelasNew[p];
    enerInternNew[p] = enerInternOld[p] + work / density[p];
    enerInelasNew[p] = enerInelasOld[p] + (work + lost) / density[p];
  }
}
