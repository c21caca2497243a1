/* Batches of points, a row of numbers each; the interface of the header. */
#include <math.h>

#include "points.h"

typedef struct {
  const double *F;
#if TEXTURE
  const double *texture;
#endif
  double dt, *state, *P;
} Arrays;

INLINE void come(const Arrays *a, const Block *block, Points *p, State *z, Watch *w) {
  for (int v = 0; v < STRIDE; ++v) {
    real F[9];
    Row row;
    gather(a->F, &block[v], 9, F);
    gather(a->state, &block[v], NUMBERS, (real *)&row);
    p[v].dt = splat(a->dt);
#if TEXTURE
    tell(a->texture, &p[v]);
#endif
    recall(&row, &p[v], z[v], &w[v]);
    kinematics(F, &p[v]);
  }
}

INLINE void leave(const Surrogate *s, const Arrays *a, const Block *block, const Points *p, const Step *step,
                  const State *z, Watch *w) {
  for (int v = 0; v < STRIDE; ++v) {
    const Row row = row_after(s, &p[v], &step[v], z[v], &w[v]);
    real P[9];
    piola(s, &p[v], z[v], P);
    for (int i = 0; i < 9; ++i) P[i] *= UNIT_OF_STRESS;
    scatter((const real *)&row, &block[v], NUMBERS, a->state);
    scatter(P, &block[v], 9, a->P);
  }
}

#include "multiscale/surrogate/recurrent/learned_blocks.h"

static double det_of(const double F[9]) {
  return F[0] * (F[4] * F[8] - F[5] * F[7]) - F[1] * (F[3] * F[8] - F[5] * F[6]) + F[2] * (F[3] * F[7] - F[4] * F[6]);
}

#if TEXTURE
const double LAW(texture)[OF_TEXTURE] = {TEXTURE_NUMBERS};
#endif

long LAW(update)(long n, double dt, const double *F, TOLD double *state, double *P) {
  const Arrays a = {F, TELL dt * UNIT_OF_TIME, state, P};
  if (!(a.dt >= 0.0 && isfinite(a.dt))) return -1;
#if TEXTURE
  for (int k = 0; k < OF_TEXTURE; ++k)
    if (!(fabs(texture[k]) <= 1.0)) return -2;
#endif
  for (long p = 0; p < n; ++p) {
    const double det = det_of(F + 9 * p);
    if (!(det > 0.0 && isfinite(det))) return p + 1;
  }
  advance_points(&surrogate, &a, n);
  return 0;
}

void LAW(rest)(long n, double *state) {
  for (long p = 0; p < n; ++p)
    for (int k = 0; k < NUMBERS; ++k) state[p * NUMBERS + k] = k < 3;
}

void LAW(cauchy)(long n, const double *F, const double *P, double *sigma) {
  for (long p = 0; p < n; ++p, F += 9, P += 9, sigma += 9) {
    const double inverse_J = 1.0 / det_of(F);
    for (int i = 0; i < 3; ++i)
      for (int j = 0; j < 3; ++j)
        sigma[3 * i + j] =
            inverse_J * (P[3 * i] * F[3 * j] + P[3 * i + 1] * F[3 * j + 1] + P[3 * i + 2] * F[3 * j + 2]);
  }
}
