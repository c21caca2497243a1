/* Points before a step, in the arrays of the law in Python. */
#ifndef LEARNED_BEFORE_H
#define LEARNED_BEFORE_H
#include "learned_surrogate.h"

/* Arrays of all points before a step: F (n, 9) where it ends, dt (n), stretch (n, 6), elastic strains (n, ELASTIC; over the
 * strain scale), other deviators (n, 5 TENSORS), scalars (n, SCALARS), and texture (n, OF_TEXTURE) of a law that knows any. */
typedef struct {
  const double *F, *dt, *stretch, *elastic, *tensors, *scalars, *texture;
} Before;

INLINE void take(const Before *a, const Block *b, Points *p, State z) {
  real F[9];
  gather(a->F, b, 9, F);
  gather(a->dt, b, 1, &p->dt);
  gather(a->stretch, b, 6, p->from);
  gather(a->elastic, b, ELASTIC, z);
  gather(a->tensors, b, SCALARS_FROM - ELASTIC, z + ELASTIC);
  gather(a->scalars, b, SCALARS, z + SCALARS_FROM);
#if TEXTURE
  gather(a->texture, b, OF_TEXTURE, p->texture);
#endif
  kinematics(F, p);
}
#endif
