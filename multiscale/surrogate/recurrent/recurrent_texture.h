/* A texture in the recurrent cell: the harmonic coefficients C_2^1, C_4^1 and C_6^1 of
 * microscale/crystals/texture/moments.py as tensors, which do not change along a path. All are symmetric and traceless in all
 * pairs of indices. That of order 2 is a deviator; that of order 4 maps deviators to deviators; that of order 6 makes such a
 * map of each deviator. Each has the norm of its coefficients. */
#ifndef RECURRENT_TEXTURE_H
#define RECURRENT_TEXTURE_H

#if TEXTURE
typedef struct {
  deviator of[DEVIATOR];
} Map; /* symmetric */

/* Scalars of step and texture alone: which deviators times which products. Others are these again. */
#define TEXTURE_PAIRS 20
static const int texture_pairs[TEXTURE_PAIRS][2] = {
    {ALONG, 5},  {ALONG, 6},  {ALONG, 8},  {ALONG, 9},    {ALONG, 11},   {ODD, 6},       {ODD, 9},
    {ODD, 11},   {ALONG, 15}, {ALONG, 17}, {ALONG, 20},   {TEXTURED, 5}, {TEXTURED, 6},  {TEXTURED, 11},
    {ALONG, 21}, {ALONG, 22}, {ALONG, 23}, {ALONG, 26}, {ODD, 26},     {TEXTURED, 21}};

#define BEFORE_SIX (DEVIATOR + 9) /* numbers of C_2 and C_4 */

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

/* The tensor of order 6 between three deviators: components (i, j, k), i <= j <= k, in this order. */
typedef real Six[COMPONENTS_OF_SIX];

/* Which component has what share of which coefficient of C_6, m from -6 to 6; their squares are multiples of 1 / 13860. */
#define SHARES_OF_SIX 68
static const struct {
  int component, coefficient;
  double share;
} shares_of_six[SHARES_OF_SIX] = {
    {0, 6, 0.48349377841522817}, {1, 8, 0.26967994498529685}, {2, 5, -0.42640143271122088}, {3, 7, -0.42640143271122088},
    {4, 4, 0.26967994498529685}, {5, 6, 0.080582296402538028}, {5, 10, 0.21320071635561044},
    {6, 3, -0.23354968324845687}, {6, 5, -0.12309149097933274}, {7, 7, 0.12309149097933274},
    {7, 9, -0.23354968324845687}, {8, 2, 0.21320071635561044}, {9, 6, -0.32232918561015211},
    {9, 8, -0.31139957766460918}, {10, 4, 0.31139957766460918}, {11, 7, 0.12309149097933274},
    {11, 9, 0.23354968324845687}, {12, 6, -0.32232918561015211}, {12, 8, 0.31139957766460918},
    {13, 3, -0.23354968324845687}, {13, 5, 0.12309149097933274}, {14, 6, 0.080582296402538028},
    {14, 10, -0.21320071635561044}, {15, 8, 0.067419986246324212}, {15, 12, 0.5}, {16, 1, -0.28867513459481287},
    {16, 3, -0.067419986246324212}, {16, 5, -0.071066905451870152}, {17, 7, -0.071066905451870152},
    {17, 9, 0.067419986246324212}, {17, 11, -0.28867513459481287}, {18, 0, 0.5}, {18, 4, 0.022473328748774737},
    {19, 6, -0.09304842103984709}, {19, 8, -0.1797866299901979}, {19, 10, -0.24618298195866548},
    {20, 2, 0.24618298195866548}, {21, 9, 0.067419986246324212}, {21, 11, 0.28867513459481287},
    {22, 6, 0.09304842103984709}, {22, 8, -0.1797866299901979}, {22, 10, 0.24618298195866548},
    {23, 1, -0.28867513459481287}, {23, 3, 0.067419986246324212}, {24, 8, 0.022473328748774737}, {24, 12, -0.5},
    {25, 3, 0.26967994498529685}, {25, 5, 0.42640143271122088}, {26, 7, 0.1421338109037403},
    {26, 9, 0.26967994498529685}, {27, 2, -0.24618298195866548}, {27, 4, -0.1797866299901979},
    {28, 3, -0.26967994498529685}, {28, 5, 0.1421338109037403}, {29, 6, 0.09304842103984709},
    {29, 10, -0.24618298195866548}, {30, 1, 0.28867513459481287}, {30, 3, 0.067419986246324212},
    {30, 5, -0.071066905451870152}, {31, 7, 0.42640143271122088}, {31, 9, -0.26967994498529685},
    {32, 2, 0.24618298195866548}, {32, 4, -0.1797866299901979}, {33, 7, -0.071066905451870152},
    {33, 9, -0.067419986246324212}, {33, 11, 0.28867513459481287}, {34, 0, -0.5}, {34, 4, 0.067419986246324212},
};

/* C_6, behind C_4. */
INLINE void six_of_texture(const real *texture, Six six) {
  const real *C = texture + BEFORE_SIX;
  for (int n = 0; n < COMPONENTS_OF_SIX; ++n) six[n] = splat(0);
  for (int q = 0; q < SHARES_OF_SIX; ++q)
    six[shares_of_six[q].component] += (number)shares_of_six[q].share * C[shares_of_six[q].coefficient];
}

/* Where components (i, j, 0) to (i, j, 4) are, of the pairs i <= j. */
#define PAIRS 15
static const int of_pair[PAIRS][DEVIATOR] = {
    {0, 1, 2, 3, 4}, {1, 5, 6, 7, 8}, {2, 6, 9, 10, 11}, {3, 7, 10, 12, 13}, {4, 8, 11, 13, 14}, {5, 15, 16, 17, 18},
    {6, 16, 19, 20, 21}, {7, 17, 20, 22, 23}, {8, 18, 21, 23, 24}, {9, 19, 25, 26, 27}, {10, 20, 26, 28, 29},
    {11, 21, 27, 29, 30}, {12, 22, 28, 31, 32}, {13, 23, 29, 32, 33}, {14, 24, 30, 33, 34},
};

/* The map that the tensor of order 6 makes of a deviator. */
INLINE void map_of_six(const Six six, const deviator a, Map *map) {
  const int *at = of_pair[0];
  for (int i = 0; i < DEVIATOR; ++i)
    for (int j = i; j < DEVIATOR; ++j, at += DEVIATOR) {
      real sum = six[at[0]] * a[0];
      for (int k = 1; k < DEVIATOR; ++k) sum += six[at[k]] * a[k];
      map->of[i][j] = map->of[j][i] = sum;
    }
}

INLINE real square_of_six(const real *texture) {
  const real *C = texture + BEFORE_SIX;
  real sum = splat(0);
  for (int m = 0; m < OF_TEXTURE - BEFORE_SIX; ++m) sum += C[m] * C[m];
  return sum;
}

INLINE real square_of(const Map *map) {
  real sum = splat(0);
  for (int k = 0; k < DEVIATOR; ++k) sum += dot(map->of[k], map->of[k]);
  return sum;
}
#endif
#endif
