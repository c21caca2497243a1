/* Viscoplastic single crystals and Taylor polycrystals over batches of points.
 *
 * Each lane follows a crystal through its sub-steps (step.h) and takes the next one when it is done, so that
 * no lane waits for a slow neighbour. Results are summed in the order of the grains, whoever is done first. */
#include "batch.h"

#define SMALL 1000 /* crystals that are not worth waking other threads for */
#define BLOCK 256 /* crystals that a thread takes at a time; a point with more is followed in several blocks */

/* Advance `count` crystals from crystal q on. Returns the first that failed, or -1. */
static long follow(const Crystal *c, const Batch *b, long q, long count, double results[][RESULTS]) {
  Interval x;
  long at[LANES], next = 0, bad = count;
  mask going = {0};
  for (int l = 0; l < LANES; ++l) {
    going[l] = next < count ? -1 : 0;
    at[l] = next < count ? next++ : count - 1; /* lanes too many repeat the last */
    take(b, q + at[l], l, &x);
  }
  while (any(going)) {
    const mask failed = try_step(c, &x, going);
    const mask done = going & ((x.theta >= 1.0 - 1e-12) | failed);
    if (!any(done)) continue;
    for (int l = 0; l < LANES; ++l) {
      if (!done[l]) continue;
      leave(b, q + at[l], l, &x, results[at[l]]);
      if (failed[l] && at[l] < bad) bad = at[l];
      going[l] = next < count ? -1 : 0;
      if (going[l]) take(b, q + (at[l] = next++), l, &x);
    }
  }
  return bad == count ? -1 : q + bad;
}

/* Advance the crystals of n points over dt: the mean of their stress under one F, and of their dissipation.
 * weight: (grains), volume fractions; `own` as in Batch. Returns the first point that failed, or -1. */
long crystal_update(const Crystal *c, long n, long grains, long own, const double *orientation, const double *weight,
                    const double *F, const double *dt, double *F_old, double *plastic_inverse, double *slip,
                    double *twin, double *dissipation, double *P, int threads) {
  const Batch batch = {grains, own, orientation, F, dt, F_old, plastic_inverse, slip, twin};
  const long points = grains < BLOCK ? BLOCK / grains : 1;
  long bad = n;
#pragma omp parallel for schedule(dynamic) num_threads(threads) if (n * grains > SMALL) reduction(min : bad)
  for (long start = 0; start < n; start += points) {
    const long end = (start + points < n ? start + points : n) * grains;
    double results[BLOCK][RESULTS], sum[RESULTS] = {0};
    for (long q = start * grains; q < end; q += BLOCK) {
      const long count = end - q < BLOCK ? end - q : BLOCK, failed = follow(c, &batch, q, count, results);
      if (failed >= 0 && failed / grains < bad) bad = failed / grains;
      for (long i = 0; i < count; ++i) {
        const long p = (q + i) / grains, grain = q + i - p * grains;
        for (int k = 0; k < RESULTS; ++k) sum[k] += weight[grain] * results[i][k];
        if (grain < grains - 1) continue;
        dissipation[p] += sum[6];
        piola(c, F + 9 * p, sum, P + 9 * p);
        memcpy(F_old + 9 * p, F + 9 * p, 9 * sizeof(double));
        memset(sum, 0, sizeof sum);
      }
    }
  }
  return bad == n ? -1 : bad;
}
