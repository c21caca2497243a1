/* The recurrent surrogate at material points: the equations of multiscale/surrogate/recurrent.py and
 * increments.py, in double precision, for BLOCK points at a time.
 *
 * Points fill the lanes of vectors; they never mix, and every point takes the same instructions, so a result
 * does not depend on the batch it was computed in. Defined outside: GROUPS, INTERNAL, HIDDEN. */
#include "lanes.h"
#ifdef __AVX512F__
#include <immintrin.h>
#endif

#define VECTORS 2 /* two vectors a weight: loads of weights no longer limit the multiplications */
#define BLOCK (VECTORS * LANES)
#define DEVIATOR 5
#define ELASTIC (GROUPS * DEVIATOR)
#define STATES (ELASTIC + INTERNAL)
#define FEATURES 20
#define INPUTS (FEATURES + STATES)
#define SHAPE 12 /* of the features, ln m: how far the isochoric stretch is from none */
#define STRAIN_SCALE (1.0 / 64) /* a power of two: counting strains in it rounds nothing */
#define SLOWEST_RATE 1e-3
#define FASTEST_RATE 1e2
#define SHORTEST_MEMORY 1e-3 /* in strain scales: bounds the learnt rates */
#define LARGEST_STEP 0.02    /* steps are cut into parts at most this long ... */
#define MOST_PARTS 32.0      /* ... but not into more than this many */
#define ROUNDING 1e-12 /* strain increments below are rounding and have no rate */
#define TINY 1e-30
#define SMALL 1e-12          /* rounds norms of the elastic strain off */

typedef struct {
  double shear_modulus, lambda_e;                        /* GPa */
  double largest_shape, largest_rate, smallest_J, largest_J; /* training range: ln m, 1/us, det F */
  double shares[GROUPS];                                 /* weights of the groups; their sum is one */
  double input[INPUTS * HIDDEN], input_bias[HIDDEN];     /* weights row by row: inputs, then outputs */
  double between[HIDDEN * HIDDEN], between_bias[HIDDEN];
  double rates[HIDDEN * STATES], rates_bias[STATES];
  double targets[HIDDEN * STATES], targets_bias[STATES];
} Surrogate;

/* Points across the lanes of a vector: where they go in a step. */
typedef struct {
  real R[9], inverse[9], J;  /* F = R U; U^-1; det F */
  real from[6], to[6], now[6]; /* isochoric stretch 11, 22, 33, 23, 13, 12: before and after the step, and on the way */
  real size, parts, dt;
} Points;

/* One part of that step. */
typedef struct {
  real strain[5], size;  /* elastic driving and size of the increment, over the strain scale */
  real moved[ELASTIC];   /* elastic strains carried along, over the strain scale */
  real dt;
} Part;

/* 1 / x for normal x: an estimate and two Newton steps take a third of a division's time. */
INLINE real reciprocal(real x) {
#ifdef __AVX512F__
  real y = (real)_mm512_rcp14_pd((__m512d)x);
  y *= 2.0 - x * y;
  return y * (2.0 - x * y);
#else
  return 1.0 / x;
#endif
}

/* Rotation of F = R U by scaled Newton steps (Higham 1986); lanes that have converged are left as they are. */
INLINE void rotation(const real F[9], real X[9]) {
  memcpy(X, F, 9 * sizeof(real));
  mask active = splat(0) == 0.0;
  for (int iteration = 0; iteration < 30 && any(active); ++iteration) {
    real C[9], x2 = splat(0), c2 = splat(0), change = splat(0);
    for (int i = 0; i < 3; ++i)
      for (int j = 0; j < 3; ++j) {
        const int a = (i + 1) % 3, b = (i + 2) % 3, c = (j + 1) % 3, d = (j + 2) % 3;
        C[3 * i + j] = X[3 * a + c] * X[3 * b + d] - X[3 * a + d] * X[3 * b + c];
      }
    const real inverse_J = 1.0 / (X[0] * C[0] + X[1] * C[1] + X[2] * C[2]);
    for (int i = 0; i < 9; ++i) {
      C[i] *= inverse_J;
      x2 += X[i] * X[i];
      c2 += C[i] * C[i];
    }
    const real scale = root(root(c2 / x2)), half = 0.5 * scale, inverse = 0.5 / scale;
    for (int i = 0; i < 9; ++i) {
      const real next = half * X[i] + inverse * C[i];
      change = larger(change, magnitude(next - X[i]));
      X[i] = choose(active, next, X[i]);
    }
    active &= change > 1e-8; /* convergence is quadratic: what is left is below rounding */
  }
}

/* det(A) A^-1 of a symmetric tensor 11, 22, 33, 23, 13, 12, row by row. */
INLINE void adjugate(const real A[6], real B[9]) {
  B[0] = A[1] * A[2] - A[3] * A[3];
  B[4] = A[0] * A[2] - A[4] * A[4];
  B[8] = A[0] * A[1] - A[5] * A[5];
  B[1] = B[3] = A[3] * A[4] - A[2] * A[5];
  B[2] = B[6] = A[3] * A[5] - A[1] * A[4];
  B[5] = B[7] = A[4] * A[5] - A[0] * A[3];
}

/* Deviators here are ordered as in lanes.h; A is any tensor, its symmetric part counts. */
INLINE void deviator_of(const real A[9], real s[5]) {
  deviator5(A[0], A[4], A[8], 0.5 * (A[5] + A[7]), 0.5 * (A[2] + A[6]), 0.5 * (A[1] + A[3]), s);
}

/* dev(f S f^T) with f = I + l, for a deviator s; s itself where l = 0. */
INLINE void convect(const real l[9], const real s[5], real moved[5]) {
  const real zero[3] = {splat(0), splat(0), splat(0)};
  real S[9], A[9], B[9], added[5];
  from_deviator5_and_axial(s, zero, S);
  product(l, S, A);
  for (int i = 0; i < 3; ++i) /* the symmetric part of 2 l S + l S l^T */
    for (int j = 0; j < 3; ++j)
      B[3 * i + j] =
          2.0 * A[3 * i + j] + A[3 * i] * l[3 * j] + A[3 * i + 1] * l[3 * j + 1] + A[3 * i + 2] * l[3 * j + 2];
  deviator_of(B, added);
  for (int k = 0; k < 5; ++k) moved[k] = s[k] + added[k];
}

INLINE void strain_features(const real U[6], const real inverse[9], real x[13]) {
  const real V[6] = {inverse[0], inverse[4], inverse[8], inverse[5], inverse[2], inverse[1]};
  const real mean = (U[0] + U[1] + U[2] + V[0] + V[1] + V[2]) * (1.0 / 6.0), scale = 1.0 / mean;
  for (int k = 0; k < 6; ++k) {
    const real weighted = k < 3 ? scale : R2 * scale;
    x[k] = (U[k] - V[k]) * weighted;
    x[6 + k] = (U[k] + V[k]) * weighted - (k < 3 ? 2.0 : 0.0);
  }
  x[SHAPE] = logarithm(mean);
}

/* How far a step ends beyond the training range, relative to it; zero inside. */
INLINE real beyond(const Surrogate *s, const Points *p, real shape) {
  const real rate = choose(p->size > ROUNDING, p->size / (p->dt + TINY), splat(0));
  const real excess = larger(shape * (1.0 / s->largest_shape), rate * (1.0 / s->largest_rate));
  const real volume = larger(p->J * (1.0 / s->largest_J), s->smallest_J / p->J);
  return positive(larger(excess, volume) - 1.0);
}

/* dev(f f^T), f = next last^-1 of isochoric stretches, is what a step from last to next adds to the elastic strain;
 * l = f - I. Returns half its norm, the size of the step. */
INLINE real driving(const real last[6], const real next[6], real l[9], real driven[5]) {
  static const int packed[9] = {0, 5, 4, 5, 1, 3, 4, 3, 2};
  real D[9], inverse[9], A[9], square = splat(0);
  for (int i = 0; i < 9; ++i) D[i] = next[packed[i]] - last[packed[i]];
  adjugate(last, inverse);
  product(D, inverse, l);
  for (int i = 0; i < 3; ++i)
    for (int j = 0; j < 3; ++j)
      A[3 * i + j] = l[3 * i + j] + l[3 * j + i] + l[3 * i] * l[3 * j] + l[3 * i + 1] * l[3 * j + 1] +
                     l[3 * i + 2] * l[3 * j + 2];
  deviator_of(A, driven);
  for (int k = 0; k < 5; ++k) square += driven[k] * driven[k];
  return 0.5 * root(square);
}

INLINE void kinematics(const real F[9], Points *p) {
  rotation(F, p->R);
  real U[6], l[9], driven[5];
  static const int row[6] = {0, 1, 2, 1, 0, 0}, column[6] = {0, 1, 2, 2, 2, 1};
  for (int k = 0; k < 6; ++k) {
    const int i = row[k], j = column[k];
    real a = splat(0);
    for (int m = 0; m < 3; ++m)
      a += p->R[3 * m + i] * F[3 * m + j] + p->R[3 * m + j] * F[3 * m + i];
    U[k] = 0.5 * a;
  }
  p->J = det(F);
  adjugate(U, p->inverse);
  const real inverse_J = 1.0 / p->J, iso = choose(p->J == 1.0, splat(1), inverse_cube_root(p->J));
  for (int i = 0; i < 9; ++i) p->inverse[i] *= inverse_J;
  for (int k = 0; k < 6; ++k) p->to[k] = U[k] * iso;
  memcpy(p->now, p->from, sizeof p->now);
  p->size = driving(p->from, p->to, l, driven);
  for (int i = 0; i < LANES; ++i) p->parts[i] = fmin(fmax(ceil(p->size[i] / LARGEST_STEP), 1.0), MOST_PARTS);
}

/* The part-th part of a step, and what the network sees of it. Points with fewer parts stand still. */
INLINE Part next_part(Points *p, int part, const real z[ELASTIC], real *x) {
  Part out;
  real next[6], l[9], driven[5], inverse[9];
  const real share = smaller(part / p->parts, splat(1));
  for (int k = 0; k < 6; ++k) next[k] = (1.0 - share) * p->from[k] + share * p->to[k];
  if (any(share < 1.0)) {
    const real volume = next[0] * (next[1] * next[2] - next[3] * next[3]) +
                        next[5] * (next[3] * next[4] - next[5] * next[2]) +
                        next[4] * (next[5] * next[3] - next[1] * next[4]);
    const real iso = choose(share == 1.0, splat(1), inverse_cube_root(volume));
    for (int k = 0; k < 6; ++k) next[k] *= iso;
  }
  const real size = driving(p->now, next, l, driven);
  memcpy(p->now, next, sizeof next);
  out.dt = choose(part <= p->parts, p->dt / p->parts, splat(0));
  out.size = size * (1.0 / STRAIN_SCALE);
  for (int k = 0; k < 5; ++k) out.strain[k] = driven[k] * (1.0 / STRAIN_SCALE);
  for (int g = 0; g < GROUPS; ++g) convect(l, z + g * DEVIATOR, out.moved + g * DEVIATOR);
  adjugate(next, inverse);
  strain_features(next, inverse, x);
  const real passed = size + SLOWEST_RATE * out.dt + TINY;
  for (int k = 0; k < 5; ++k) x[13 + k] = 0.5 * driven[k] / passed;
  x[18] = 0.5 * logarithm(passed / (out.dt + size * (1.0 / FASTEST_RATE) + TINY));
  x[19] = 4.0 * size / (size + STRAIN_SCALE);
  return out;
}

/* y = x W + b for the points of a block; eight outputs at a time stay in registers. */
INLINE void dense(const double *W, const double *b, const real (*x)[VECTORS], int inputs, int outputs,
                  real (*y)[VECTORS]) {
  int o = 0;
  for (; o + 8 <= outputs; o += 8) {
    real sum[8][VECTORS];
    for (int k = 0; k < 8; ++k)
      for (int v = 0; v < VECTORS; ++v) sum[k][v] = splat(b[o + k]);
    for (int i = 0; i < inputs; ++i)
      for (int k = 0; k < 8; ++k)
        for (int v = 0; v < VECTORS; ++v) sum[k][v] += W[i * outputs + o + k] * x[i][v];
    memcpy(y[o], sum, sizeof sum);
  }
  for (; o < outputs; ++o)
    for (int v = 0; v < VECTORS; ++v) {
      real sum = splat(b[o]);
      for (int i = 0; i < inputs; ++i) sum += W[i * outputs + o] * x[i][v];
      y[o][v] = sum;
    }
}

INLINE void silu(real (*x)[VECTORS]) {
  for (int i = 0; i < HIDDEN; ++i)
    for (int v = 0; v < VECTORS; ++v) x[i][v] *= reciprocal(1.0 + exponential(-x[i][v]));
}

/* (1 - exp(-x)) / x, given exp(-x). */
INLINE real mean_of_exponential(real x, real exponential_x) {
  const real series = 1.0 - x * (1.0 / 2) * (1.0 - x * (1.0 / 3) * (1.0 - x * (1.0 / 4) * (1.0 - x * (1.0 / 5))));
  return choose(x < 1e-3, series, (1.0 - exponential_x) / (x + TINY));
}

/* Relaxation of the variables z of one vector of points along a part, towards targets at rates the network gave. */
INLINE void relax(const Part *p, const real (*slow)[VECTORS], const real (*target)[VECTORS], real (*z)[VECTORS],
                  int v) {
  real trial = splat(SMALL), stress[GROUPS], factor[GROUPS], mean = splat(0);
  for (int g = 0; g < GROUPS; ++g) {
    real square = splat(0), reach = splat(1);
    for (int k = 0; k < DEVIATOR; ++k) {
      const int j = g * DEVIATOR + k;
      const real t = p->moved[j] + p->strain[k];
      square += p->moved[j] * p->moved[j];
      trial += t * t * (1.0 / GROUPS);
      reach += target[j][v] * target[j][v];
    }
    stress[g] = square / root(square + SMALL);
    mean += stress[g] * (1.0 / GROUPS);
    factor[g] = 1.0 / root(reach);
  }
  const real radius = root(trial);
  for (int k = 0; k < STATES; ++k) {
    const int elastic = k < ELASTIC, g = k / DEVIATOR;
    const real passed = p->size + p->dt * (elastic ? stress[g] : mean);
    const real decay = passed * reciprocal(exponential(-slow[k][v]) + SHORTEST_MEMORY), left = exp_negative(-decay);
    const real bound = elastic ? factor[g] * radius : 1.0 / root(1.0 + target[k][v] * target[k][v]);
    const real driven = elastic ? p->strain[k % DEVIATOR] * mean_of_exponential(decay, left) : splat(0);
    z[k][v] = (elastic ? p->moved[k] : z[k][v]) * left + target[k][v] * bound * (1.0 - left) + driven;
  }
}

INLINE void advance(const Surrogate *s, const Part p[VECTORS], real (*x)[VECTORS]) {
  real first[HIDDEN][VECTORS], second[HIDDEN][VECTORS], slow[STATES][VECTORS], target[STATES][VECTORS];
  dense(s->input, s->input_bias, (const real(*)[VECTORS])x, INPUTS, HIDDEN, first);
  silu(first);
  dense(s->between, s->between_bias, (const real(*)[VECTORS])first, HIDDEN, HIDDEN, second);
  silu(second);
  dense(s->rates, s->rates_bias, (const real(*)[VECTORS])second, HIDDEN, STATES, slow);
  dense(s->targets, s->targets_bias, (const real(*)[VECTORS])second, HIDDEN, STATES, target);
  for (int v = 0; v < VECTORS; ++v)
    relax(&p[v], (const real(*)[VECTORS])slow, (const real(*)[VECTORS])target, x + FEATURES, v);
}

/* P = R T U^-1 with T = G s + J 2 lambda_e (J - 1) I, s the mean of the groups. */
INLINE void piola(const Surrogate *s, const Points *p, const real z[ELASTIC], real P[9]) {
  const real zero[3] = {splat(0), splat(0), splat(0)};
  real T[9], A[9], mean[5];
  for (int k = 0; k < 5; ++k) {
    mean[k] = splat(0);
    for (int g = 0; g < GROUPS; ++g) mean[k] += s->shares[g] * z[g * DEVIATOR + k];
  }
  from_deviator5_and_axial(mean, zero, T);
  for (int i = 0; i < 9; ++i) T[i] *= s->shear_modulus * STRAIN_SCALE;
  const real pressure = 2.0 * s->lambda_e * p->J * (p->J - 1.0);
  for (int i = 0; i < 9; i += 4) T[i] += pressure;
  product(T, p->inverse, A);
  product(p->R, A, P);
}

INLINE void gather(const double *source, const long *point, int count, real *out) {
  for (int k = 0; k < count; ++k)
    for (int l = 0; l < LANES; ++l) out[k][l] = source[point[l] * count + k];
}

INLINE void scatter(const real *in, const long *point, int lanes, int count, double *target) {
  for (int l = 0; l < lanes; ++l)
    for (int k = 0; k < count; ++k) target[point[l] * count + k] = in[k][l];
}

/* Advance n points. Arrays: F (n, 9), dt (n), stretch (n, 6), elastic strains (n, ELASTIC; over the strain scale),
 * internal (n, INTERNAL), extrapolation (n), P (n, 9). Returns how many points left the training range for the first
 * time. */
long learned_update(const Surrogate *s, long n, const double *F, const double *dt, double *stretch, double *elastic,
                    double *internal, double *extrapolation, double *P) {
  long newly_outside = 0;
  for (long start = 0; start < n; start += BLOCK) {
    Points p[VECTORS];
    real x[INPUTS][VECTORS], z[VECTORS][STATES];
    long point[VECTORS][LANES];
    int lanes[VECTORS], parts = 1;
    for (int v = 0; v < VECTORS; ++v) {
      const long first = start + v * LANES, left = n - first;
      lanes[v] = left > LANES ? LANES : left > 0 ? (int)left : 0;
      for (int l = 0; l < LANES; ++l) point[v][l] = first + l < n ? first + l : n - 1; /* idle lanes repeat a point */
      real Fv[9];
      gather(F, point[v], 9, Fv);
      gather(dt, point[v], 1, &p[v].dt);
      gather(stretch, point[v], 6, p[v].from);
      gather(elastic, point[v], ELASTIC, z[v]);
      gather(internal, point[v], INTERNAL, z[v] + ELASTIC);
      kinematics(Fv, &p[v]);
      for (int k = 0; k < STATES; ++k) x[FEATURES + k][v] = z[v][k];
      for (int l = 0; l < LANES; ++l) parts = p[v].parts[l] > parts ? (int)p[v].parts[l] : parts;
    }
    for (int part = 1; part <= parts; ++part) {
      Part now[VECTORS];
      for (int v = 0; v < VECTORS; ++v) {
        real features[FEATURES];
        for (int k = 0; k < ELASTIC; ++k) z[v][k] = x[FEATURES + k][v];
        now[v] = next_part(&p[v], part, z[v], features);
        for (int k = 0; k < FEATURES; ++k) x[k][v] = features[k];
      }
      advance(s, now, x);
    }
    for (int v = 0; v < VECTORS; ++v) {
      real Pv[9];
      const real outside = beyond(s, &p[v], x[SHAPE][v]); /* the last part ends where the step does */
      for (int k = 0; k < STATES; ++k) z[v][k] = x[FEATURES + k][v];
      piola(s, &p[v], z[v], Pv);
      scatter(p[v].to, point[v], lanes[v], 6, stretch);
      scatter(z[v], point[v], lanes[v], ELASTIC, elastic);
      scatter(z[v] + ELASTIC, point[v], lanes[v], INTERNAL, internal);
      scatter(Pv, point[v], lanes[v], 9, P);
      for (int l = 0; l < lanes[v]; ++l) {
        double *worst = extrapolation + point[v][l];
        newly_outside += *worst == 0.0 && outside[l] > 0.0;
        *worst = fmax(*worst, outside[l]);
      }
    }
  }
  return newly_outside;
}
