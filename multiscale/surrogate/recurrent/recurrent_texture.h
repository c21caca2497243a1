/* A texture in the recurrent cell: the harmonic coefficients C_2^1 and C_4^1 of microscale/crystals/texture/moments.py as
 * tensors, which do not change along a path. That of order 2 is a deviator; that of order 4, symmetric and traceless in all
 * pairs of indices, maps deviators to deviators. Either has the norm of its coefficients. */
#ifndef RECURRENT_TEXTURE_H
#define RECURRENT_TEXTURE_H

#if TEXTURE
typedef struct {
  deviator of[DEVIATOR];
} Map; /* symmetric */

/* Scalars of step and texture alone: which deviators times which products. Others are these again. */
#define TEXTURE_PAIRS 14
static const int texture_pairs[TEXTURE_PAIRS][2] = {
    {ALONG, 5}, {ALONG, 6},    {ALONG, 8},    {ALONG, 9},     {ALONG, 11},  {ODD, 6},    {ODD, 9},
    {ODD, 11},  {TEXTURED, 5}, {TEXTURED, 6}, {TEXTURED, 11}, {ALONG, 15}, {ALONG, 17}, {ALONG, 20}};

/* C_2, with m from -2 to 2, as a deviator. */
INLINE void deviator_of_texture(const real *C, deviator out) {
  out[0] = C[2];
  out[1] = C[4];
  out[2] = splat(0) - C[1];
  out[3] = splat(0) - C[3];
  out[4] = C[0];
}

/* C_4, with m from -4 to 4, behind C_2: the components between deviators. */
INLINE void map_of_texture(const real *texture, Map *map) {
  const number a = 0.70710678118654752440, b = 0.5;                    /* (35/70)^(1/2), (17.5/70)^(1/2) */
  const number c = 0.46291004988627573078, d = 0.53452248382484876937; /* (15/70)^(1/2), (20/70)^(1/2) */
  const number e = 0.65465367070797714380, f = 0.18898223650461361361; /* (30/70)^(1/2), (2.5/70)^(1/2) */
  const number g = 0.71713716560063619, h = 0.11952286093343936, i = 0.47809144373375744; /* 6, 1 and 4 / 70^(1/2) */
  const real *C = texture + DEVIATOR;
  deviator *M = map->of;
  M[0][0] = g * C[4];
  M[0][1] = c * C[6];
  M[0][2] = splat(0) - e * C[3];
  M[0][3] = splat(0) - e * C[5];
  M[0][4] = c * C[2];
  M[1][1] = h * C[4] + a * C[8];
  M[1][2] = splat(0) - b * C[1] - f * C[3];
  M[1][3] = f * C[5] - b * C[7];
  M[1][4] = a * C[0];
  M[2][2] = splat(0) - i * C[4] - d * C[6];
  M[2][3] = d * C[2];
  M[2][4] = f * C[5] + b * C[7];
  M[3][3] = d * C[6] - i * C[4];
  M[3][4] = f * C[3] - b * C[1];
  M[4][4] = h * C[4] - a * C[8];
  for (int k = 1; k < DEVIATOR; ++k)
    for (int m = 0; m < k; ++m) M[k][m] = M[m][k];
}

INLINE void add_mapped(const Map *map, const deviator a, deviator sum) {
  for (int k = 0; k < DEVIATOR; ++k) sum[k] += dot(map->of[k], a);
}

INLINE void mapped(const Map *map, const deviator a, deviator out) {
  clear(out);
  add_mapped(map, a, out);
}

INLINE real square_of(const Map *map) {
  real sum = splat(0);
  for (int k = 0; k < DEVIATOR; ++k) sum += dot(map->of[k], map->of[k]);
  return sum;
}
#endif
#endif
