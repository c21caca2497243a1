/* A texture in the recurrent cell: the harmonic coefficients C_2^1 and C_4^1 of microscale/crystals/texture/moments.py as
 * tensors, which do not change along a path. That of order 2 is a deviator; that of order 4, symmetric and traceless in all
 * pairs of indices, maps deviators to deviators. Either has the norm of its coefficients. */
#ifndef RECURRENT_TEXTURE_H
#define RECURRENT_TEXTURE_H

#if TEXTURE
#define FOURTH 9 /* numbers of a harmonic tensor of order 4, with m from -4 to 4 */
typedef real fourth[FOURTH];
typedef struct {
  deviator of[DEVIATOR];
} Map; /* symmetric, where it is a tensor's */

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

/* The components of a tensor of order 4 between deviators. */
INLINE void map_of(const fourth C, Map *map) {
  const number a = 0.70710678118654752440, b = 0.5;                    /* (35/70)^(1/2), (17.5/70)^(1/2) */
  const number c = 0.46291004988627573078, d = 0.53452248382484876937; /* (15/70)^(1/2), (20/70)^(1/2) */
  const number e = 0.65465367070797714380, f = 0.18898223650461361361; /* (30/70)^(1/2), (2.5/70)^(1/2) */
  const number g = 0.71713716560063619, h = 0.11952286093343936, i = 0.47809144373375744; /* 6, 1 and 4 / 70^(1/2) */
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

/* The harmonic part C of any X: where C is that of the dyad of a and b, C.D = a.map_of(D) b of all D. */
INLINE void harmonic(const Map *X, fourth C) {
  const number a = 0.70710678118654752440, b = 0.5;
  const number c = 0.46291004988627573078, d = 0.53452248382484876937;
  const number e = 0.65465367070797714380, f = 0.18898223650461361361;
  const number g = 0.71713716560063619, h = 0.11952286093343936, i = 0.47809144373375744;
  Map S;
  for (int k = 0; k < DEVIATOR; ++k)
    for (int m = k; m < DEVIATOR; ++m) S.of[k][m] = k == m ? X->of[k][k] : X->of[k][m] + X->of[m][k];
  C[0] = a * S.of[1][4];
  C[1] = splat(0) - b * (S.of[1][2] + S.of[3][4]);
  C[2] = c * S.of[0][4] + d * S.of[2][3];
  C[3] = f * (S.of[3][4] - S.of[1][2]) - e * S.of[0][2];
  C[4] = g * S.of[0][0] + h * (S.of[1][1] + S.of[4][4]) - i * (S.of[2][2] + S.of[3][3]);
  C[5] = f * (S.of[1][3] + S.of[2][4]) - e * S.of[0][3];
  C[6] = c * S.of[0][1] + d * (S.of[3][3] - S.of[2][2]);
  C[7] = b * (S.of[2][4] - S.of[1][3]);
  C[8] = a * (S.of[1][1] - S.of[4][4]);
}

/* (a b)_4. */
INLINE void dyad(const deviator a, const deviator b, fourth C) {
  Map X;
  for (int k = 0; k < DEVIATOR; ++k)
    for (int m = 0; m < DEVIATOR; ++m) X.of[k][m] = a[k] * b[m];
  harmonic(&X, C);
}

/* {A, M}_4: of the map x -> A (M x). Given the gradient of it, that of M is the product of A and that. */
INLINE void turned(const deviator a, const Map *map, fourth C) {
  Map X;
  for (int k = 0; k < DEVIATOR; ++k) {
    clear(X.of[k]);
    add_product(a, map->of[k], X.of[k]);
  }
  harmonic(&X, C);
}

/* p += what two tensors of order 4 have in common with a deviator: p.a = {a, M}_4 . N. */
INLINE void add_contracted(const Map *M, const Map *N, deviator p) {
  for (int k = 0; k < DEVIATOR; ++k) add_product(M->of[k], N->of[k], p);
}

INLINE real fourth_dot(const fourth a, const fourth b) {
  real sum = a[0] * b[0];
  for (int m = 1; m < FOURTH; ++m) sum += a[m] * b[m];
  return sum;
}

INLINE void fourth_add(real factor, const fourth a, fourth sum) {
  for (int m = 0; m < FOURTH; ++m) sum[m] += factor * a[m];
}

INLINE void fourth_clear(fourth a) {
  for (int m = 0; m < FOURTH; ++m) a[m] = splat(0);
}

INLINE real square_of(const Map *map) {
  real sum = splat(0);
  for (int k = 0; k < DEVIATOR; ++k) sum += dot(map->of[k], map->of[k]);
  return sum;
}
#endif
#endif
