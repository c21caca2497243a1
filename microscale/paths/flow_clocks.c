/* Clocks of strain paths in memory, see flow_clocks.h. */
#include "flow_clocks.h"

/* Isochoric stretch of U, both 11, 22, 33, 23, 13, 12. */
INLINE void isochoric(real U[6]) {
  const real J = U[0] * (U[1] * U[2] - U[3] * U[3]) + U[5] * (U[3] * U[4] - U[5] * U[2]) +
                 U[4] * (U[5] * U[3] - U[1] * U[4]);
  const real scale = inverse_cube_root(J);
  for (int k = 0; k < 6; ++k) U[k] *= scale;
}

/* Half of dev(f f^T) - I with f = to from^-1 for isochoric stretches: the strain of a step. */
INLINE void strain_of_step(const real from[6], const real to[6], real strain[5]) {
  static const int packed[9] = {0, 5, 4, 5, 1, 3, 4, 3, 2};
  real D[9], inverse[9], l[9], B[9];
  for (int i = 0; i < 9; ++i) D[i] = to[packed[i]] - from[packed[i]];
  inverse[0] = from[1] * from[2] - from[3] * from[3];
  inverse[4] = from[0] * from[2] - from[4] * from[4];
  inverse[8] = from[0] * from[1] - from[5] * from[5];
  inverse[1] = inverse[3] = from[3] * from[4] - from[2] * from[5];
  inverse[2] = inverse[6] = from[3] * from[5] - from[1] * from[4];
  inverse[5] = inverse[7] = from[4] * from[5] - from[0] * from[3];
  product(D, inverse, l);
  for (int i = 0; i < 3; ++i)
    for (int j = 0; j < 3; ++j)
      B[3 * i + j] = 0.5 * (l[3 * i + j] + l[3 * j + i] + l[3 * i] * l[3 * j] + l[3 * i + 1] * l[3 * j + 1] +
                            l[3 * i + 2] * l[3 * j + 2]);
  deviator5(B[0], B[4], B[8], B[5], B[2], B[1], strain);
}

INLINE void gather(const double *source, const long *point, int count, real *out) {
  for (int k = 0; k < count; ++k)
    for (int l = 0; l < LANES; ++l) out[k][l] = source[point[l] * count + k];
}

INLINE void scatter(const real *in, const long *point, int lanes, int count, double *target) {
  for (int l = 0; l < lanes; ++l)
    for (int k = 0; k < count; ++k) target[point[l] * count + k] = in[k][l];
}

/* Advance n points from stretches `from` to `to` (n, 6) in dt (n): clocks (n, CLOCKS), longest (n, LONGEST). */
void flow_clocks_advance(double limit, long n, const double *from, const double *to, const double *dt,
                         double *clocks, double *longest) {
  for (long first = 0; first < n; first += LANES) {
    long point[LANES];
    const int lanes = n - first > LANES ? LANES : (int)(n - first);
    for (int l = 0; l < LANES; ++l) point[l] = first + l < n ? first + l : n - 1; /* idle lanes repeat a point */
    real before[6], after[6], step, clock[CLOCKS], most[LONGEST], strain[5];
    gather(from, point, 6, before);
    gather(to, point, 6, after);
    gather(dt, point, 1, &step);
    gather(clocks, point, CLOCKS, clock);
    isochoric(before);
    isochoric(after);
    strain_of_step(before, after, strain);
    flow_clocks(limit, strain, step, clock, most);
    scatter(clock, point, lanes, CLOCKS, clocks);
    scatter(most, point, lanes, LONGEST, longest);
  }
}
