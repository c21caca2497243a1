/* What a host keeps of a point: one row of numbers, in the order of the law's state. */
#ifndef HOST_POINTS_H
#define HOST_POINTS_H
#include "multiscale/surrogate/recurrent/learned_watch.h"

typedef struct {
  real stretch[6];
  State z;
  Watch watch;
} Row;
#define NUMBERS ((int)(sizeof(Row) / sizeof(real)))

/* A law that is told textures takes the numbers of one with every call: a constant of the material, and no state. */
#if TEXTURE
#define TOLD const double *texture,
#define TELL texture,

INLINE void tell(const double texture[OF_TEXTURE], Points *p) {
  for (int k = 0; k < OF_TEXTURE; ++k) p->texture[k] = splat(texture[k]);
}
#else
#define TOLD
#define TELL
#endif

/* A host that was told nothing gives zeros at first. No stretch is zero: they stand for rest. */
INLINE void recall(const Row *row, Points *p, State z, Watch *w) {
  const mask untold = row->stretch[0] == 0.0;
  copy(row->stretch, 6, p->from);
  for (int k = 0; k < 3; ++k) p->from[k] = choose(untold, splat(1), p->from[k]);
  copy(row->z, STATES, z);
  *w = row->watch;
}

/* What is kept after a step; nobody counts which points leave the training range for the first time. */
INLINE Row row_after(const Surrogate *s, const Points *p, const Step *step, const State z, Watch *w) {
  Row row;
  mask fresh[KINDS + 1];
  watch(s, p, step, w, fresh);
  copy(p->to, 6, row.stretch);
  copy(z, STATES, row.z);
  row.watch = *w;
  return row;
}

#include "surrogate.h"
#endif
