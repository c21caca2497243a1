/* The next LANES points of arrays (n, count): between memory, where the numbers of a point lie together, and lanes. */
#ifndef POINTS_H
#define POINTS_H
#include "lanes.h"

typedef struct {
  long first;
  int lanes; /* of points; the other, idle lanes repeat the last point */
  int whole; /* all lanes are points one after another, and all are written */
  int inner; /* as many come behind: what lies behind the last one's numbers may be read */
  long point[LANES];
  int skipped[LANES]; /* not written */
} Block;

INLINE Block block_at(long first, long n) {
  const long left = n - first;
  Block b = {first, left > LANES ? LANES : left > 0 ? (int)left : 0, left >= LANES, left >= 2 * LANES, {0}, {0}};
  for (int l = 0; l < LANES; ++l) b.point[l] = first + l < n ? first + l : n - 1;
  return b;
}

/* A block of any points. */
INLINE Block block_of(const long *points, int first, int count) {
  const int left = count - first;
  Block b = {0, left > LANES ? LANES : left > 0 ? left : 0, 0, 0, {0}, {0}};
  for (int l = 0; l < LANES; ++l) b.point[l] = points[first + l < count ? first + l : count - 1];
  return b;
}

#ifdef ONE_LANE
INLINE void gather(const double *source, const Block *b, int count, real *out) {
  for (int k = 0; k < count; ++k) out[k] = source[b->point[0] * count + k];
}

INLINE void scatter(const real *in, const Block *b, int count, double *target) {
  for (int k = 0; k < count && b->lanes && !b->skipped[0]; ++k) target[b->point[0] * count + k] = in[k];
}
#else
/* `here` numbers of each point from k on, read whole and turned: a fraction of the time of one by one. */
INLINE void gather_turned(const double *source, const Block *b, int count, int k, int here, real *out) {
  real rows[LANES];
  for (int l = 0; l < LANES; ++l) rows[l] = *(const doubles_anywhere *)(source + (b->first + l) * count + k);
  transpose_double(rows);
  for (int i = 0; i < here; ++i) out[k + i] = rows[i];
}

INLINE void scatter_turned(const real *in, const Block *b, int count, int k, int here, double *target) {
  real rows[LANES];
  for (int i = 0; i < LANES; ++i) rows[i] = i < here ? in[k + i] : splat(0);
  transpose_double(rows);
  for (int l = 0; l < LANES; ++l) {
    double *at = target + (b->first + l) * count + k;
    if (here == LANES)
      *(doubles_anywhere *)at = rows[l];
    else
      for (int i = 0; i < here; ++i) at[i] = rows[l][i];
  }
}

INLINE void gather(const double *source, const Block *b, int count, real *out) {
  const int whole = count / LANES * LANES; /* constants, as counts are */
  if (!b->inner)
    for (int k = 0; k < count; ++k)
      for (int l = 0; l < LANES; ++l) out[k][l] = source[b->point[l] * count + k];
  else if (count == 1)
    *out = *(const doubles_anywhere *)(source + b->first);
  else {
    for (int k = 0; k < whole; k += LANES) gather_turned(source, b, count, k, LANES, out);
    if (whole < count) gather_turned(source, b, count, whole, count % LANES, out);
  }
}

INLINE void scatter(const real *in, const Block *b, int count, double *target) {
  const int whole = count / LANES * LANES;
  if (!b->whole)
    for (int l = 0; l < b->lanes; ++l)
      for (int k = 0; k < count && !b->skipped[l]; ++k) target[b->point[l] * count + k] = in[k][l];
  else if (count == 1)
    *(doubles_anywhere *)(target + b->first) = *in;
  else {
    for (int k = 0; k < whole; k += LANES) scatter_turned(in, b, count, k, LANES, target);
    if (whole < count) scatter_turned(in, b, count, whole, count % LANES, target);
  }
}
#endif
#endif
