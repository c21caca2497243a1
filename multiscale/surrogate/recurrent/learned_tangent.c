/* Tangents of the recurrent surrogate at points whose state is the arrays of the law in Python. */
#include <stdlib.h>

#include "learned_before.h"
#include "learned_derivative.h"

static void differentiate_block(const Surrogate *s, const Before *a, double *tangent, long start, long n, Work *w) {
  Block block[STRIDE];
  for (int v = 0; v < STRIDE; ++v) {
    block[v] = block_at(start + v * LANES, n);
    take(a, &block[v], &w->points[v], w->z[v]);
  }
  differentiate(s, w);
  for (int v = 0; v < STRIDE; ++v) {
    real dP[81];
    tangent_of(s, w, v, dP);
    scatter(dP, &block[v], 81, tangent);
  }
}

/* dP / dF (n, 81) of n points, see Before. Returns 0, or -1 where there is no memory. */
int learned_tangent(const Surrogate *s, long n, const double *F, const double *dt, const double *stretch,
                    const double *elastic, const double *tensors, const double *scalars, const double *texture,
                    double *tangent) {
  const Before before = {F, dt, stretch, elastic, tensors, scalars, texture};
  Work *work = aligned_alloc(sizeof(row), (sizeof(Work) + sizeof(row) - 1) / sizeof(row) * sizeof(row));
  if (!work) return -1;
  const unsigned int mode = flush_tiny();
  for (long start = 0; start < n; start += POINTS) differentiate_block(s, &before, tangent, start, n, work);
  leave_tiny(mode);
  free(work);
  return 0;
}
