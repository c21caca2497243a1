/* Points before a step, in the arrays of the law in Python. */
#ifndef LEARNED_BEFORE_H
#define LEARNED_BEFORE_H
#include "learned_surrogate.h"

/* Arrays of all points before a step: F (n, 9) where it ends, dt (n), stretch (n, 6), elastic strains (n, ELASTIC; over the
 * strain scale), other deviators (n, 5 TENSORS), scalars (n, SCALARS), and of a law that knows any texture tensors of order 4
 * (n, FOURTHS FOURTH) and texture (n, OF_TEXTURE). */
typedef struct {
  const double *F, *dt, *stretch, *elastic, *tensors, *scalars, *fourths, *texture;
} Before;

INLINE void take(const Before *a, const Block *b, Points *p, State z) {
  real F[9];
  gather(a->F, b, 9, F);
  gather(a->dt, b, 1, &p->dt);
  gather(a->stretch, b, 6, p->from);
  gather(a->elastic, b, ELASTIC, z);
  gather(a->tensors, b, SCALARS_FROM - ELASTIC, z + ELASTIC);
  gather(a->scalars, b, SCALARS, z + SCALARS_FROM);
#if FOURTHS
  gather(a->fourths, b, FOURTHS * FOURTH, z + FOURTHS_FROM);
#endif
#if TEXTURE
  gather(a->texture, b, OF_TEXTURE, p->texture);
#endif
  kinematics(F, p);
}
#endif
