/* Steps of the isochoric stretch, in its own frame. Symmetric tensors are 11, 22, 33, 23, 13, 12. */
#ifndef ISOCHORIC_H
#define ISOCHORIC_H
#include "lanes.h"

INLINE real det_symmetric(const real U[6]) {
  return U[0] * (U[1] * U[2] - U[3] * U[3]) + U[5] * (U[3] * U[4] - U[5] * U[2]) +
         U[4] * (U[5] * U[3] - U[1] * U[4]);
}

/* Isochoric part of a stretch, in place. */
INLINE void isochoric(real U[6]) {
  const real scale = inverse_cube_root(det_symmetric(U));
  for (int k = 0; k < 6; ++k) U[k] *= scale;
}

/* l = f - I with f = to from^-1 of isochoric stretches, and dev(f f^T), what a step adds to the elastic left
 * Cauchy-Green tensor: twice its strain. */
INLINE void driving(const real from[6], const real to[6], real l[9], real driven[5]) {
  static const int packed[9] = {0, 5, 4, 5, 1, 3, 4, 3, 2};
  real D[9], inverse[9], A[9];
  for (int i = 0; i < 9; ++i) D[i] = to[packed[i]] - from[packed[i]];
  adjugate(from, inverse);
  product(D, inverse, l);
  for (int i = 0; i < 3; ++i)
    for (int j = i; j < 3; ++j)
      A[3 * i + j] = l[3 * i + j] + l[3 * j + i] + l[3 * i] * l[3 * j] + l[3 * i + 1] * l[3 * j + 1] +
                     l[3 * i + 2] * l[3 * j + 2];
  deviator5(A[0], A[4], A[8], A[5], A[2], A[1], driven);
}
#endif
