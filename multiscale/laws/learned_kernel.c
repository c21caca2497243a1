/* The recurrent surrogate at material points: the equations of multiscale/surrogate/recurrent.py and
 * increments.py, in double precision, for BLOCK points at a time.
 *
 * Points fill the lanes of vectors; they never mix, and every point takes the same instructions, so a result
 * does not depend on the batch it was computed in. Defined outside: INTERNAL, HIDDEN. */
#include "lanes.h"

#define VECTORS 2 /* two vectors a weight: loads of weights no longer limit the multiplications */
#define BLOCK (VECTORS * LANES)
#define DEVIATOR 5
#define STATES (DEVIATOR + INTERNAL)
#define FEATURES 20
#define INPUTS (FEATURES + STATES)
#define STRAIN_SCALE (1.0 / 64) /* a power of two: counting strains in it rounds nothing */
#define SLOWEST_RATE 1e-3
#define FASTEST_RATE 1e2
#define SHORTEST_MEMORY 1e-3 /* in strain scales: bounds the learnt rates */
#define LARGEST_TARGET 16.0
#define TINY 1e-30

typedef struct {
  double shear_modulus, lambda_e;                        /* GPa */
  double largest_shape, largest_rate, smallest_J, largest_J; /* training range: ln m, 1/us, det F */
  double input[INPUTS * HIDDEN], input_bias[HIDDEN];     /* weights row by row: inputs, then outputs */
  double between[HIDDEN * HIDDEN], between_bias[HIDDEN];
  double rates[HIDDEN * STATES], rates_bias[STATES];
  double targets[HIDDEN * STATES], targets_bias[STATES];
} Surrogate;

/* One point's numbers across the lanes of a vector. */
typedef struct {
  real R[9], inverse[9], J;   /* F = R U; U^-1; det F */
  real stretch[6];            /* isochoric stretch: 11, 22, 33, 23, 13, 12 */
  real strain[5], size;       /* elastic driving and size of the increment, over the strain scale */
  real moved[5];              /* elastic strain carried along by the step, over the strain scale */
  real dt, outside;
} Step;

INLINE real exponential(real x) { /* the range reduction of exp_negative holds for both signs */
  return exp_negative(smaller(x, splat(700.0)));
}

INLINE real root(real x) {
  real y;
  for (int l = 0; l < LANES; ++l) y[l] = sqrt(x[l]);
  return y;
}

/* ln(x) for normal x > 0: exponent, and the series of artanh of a mantissa in (sqrt(1/2), sqrt(2)). */
INLINE real logarithm(real x) {
  const mask bits = (mask)x - 0x3fe6a09e667f3bcdLL;
  const mask exponent = bits >> 52;
  const real mantissa = (real)((mask)x - (exponent << 52));
  const real u = (mantissa - 1.0) / (mantissa + 1.0), v = u * u;
  real p = splat(1.0 / 23.0);
  for (int n = 21; n >= 1; n -= 2) p = p * v + 1.0 / n;
  return 2.0 * u * p + __builtin_convertvector(exponent, real) * 0.693147180559945309417;
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

INLINE void strain_features(const real U[6], const real inverse[9], real x[13], real *log_mean) {
  const real V[6] = {inverse[0], inverse[4], inverse[8], inverse[5], inverse[2], inverse[1]};
  const real mean = (U[0] + U[1] + U[2] + V[0] + V[1] + V[2]) * (1.0 / 6.0), scale = 1.0 / mean;
  for (int k = 0; k < 6; ++k) {
    const real weighted = k < 3 ? scale : R2 * scale;
    x[k] = (U[k] - V[k]) * weighted;
    x[6 + k] = (U[k] + V[k]) * weighted - (k < 3 ? 2.0 : 0.0);
  }
  x[12] = *log_mean = logarithm(mean);
}

/* How far beyond the training range, relative to it; zero inside. */
INLINE real beyond(const Surrogate *s, real shape, real rate, real J) {
  const real excess = larger(shape * (1.0 / s->largest_shape), rate * (1.0 / s->largest_rate));
  const real volume = larger(J * (1.0 / s->largest_J), s->smallest_J / J);
  return positive(larger(excess, volume) - 1.0);
}

INLINE void kinematics(const Surrogate *s, const real F[9], const real last[6], const real z[5], Step *p, real *x) {
  rotation(F, p->R);
  real U[6];
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
  for (int k = 0; k < 6; ++k) p->stretch[k] = U[k] * iso;

  real D[9], inverse[9], l[9], A[9], driven[5], new_inverse[9];
  static const int packed[9] = {0, 5, 4, 5, 1, 3, 4, 3, 2};
  for (int i = 0; i < 9; ++i) D[i] = p->stretch[packed[i]] - last[packed[i]];
  adjugate(last, inverse);
  product(D, inverse, l);
  for (int i = 0; i < 3; ++i)
    for (int j = 0; j < 3; ++j)
      A[3 * i + j] = l[3 * i + j] + l[3 * j + i] + l[3 * i] * l[3 * j] + l[3 * i + 1] * l[3 * j + 1] +
                     l[3 * i + 2] * l[3 * j + 2];
  deviator_of(A, driven);
  convect(l, z, p->moved);
  real square = splat(0), log_mean;
  for (int k = 0; k < 5; ++k) {
    square += driven[k] * driven[k];
    p->strain[k] = driven[k] * (1.0 / STRAIN_SCALE);
  }
  const real size = 0.5 * root(square), passed = size + SLOWEST_RATE * p->dt + TINY;
  p->size = size * (1.0 / STRAIN_SCALE);
  adjugate(p->stretch, new_inverse);
  strain_features(p->stretch, new_inverse, x, &log_mean);
  for (int k = 0; k < 5; ++k) x[13 + k] = 0.5 * driven[k] / passed;
  x[18] = 0.5 * logarithm(passed / (p->dt + size * (1.0 / FASTEST_RATE) + TINY));
  x[19] = 4.0 * size / (size + STRAIN_SCALE);
  p->outside = beyond(s, log_mean, size / (p->dt + TINY), p->J);
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
    for (int v = 0; v < VECTORS; ++v) x[i][v] /= 1.0 + exponential(-x[i][v]);
}

/* (1 - exp(-x)) / x, given exp(-x). */
INLINE real mean_of_exponential(real x, real exponential_x) {
  const real series = 1.0 - x * (1.0 / 2) * (1.0 - x * (1.0 / 3) * (1.0 - x * (1.0 / 4) * (1.0 - x * (1.0 / 5))));
  return choose(x < 1e-3, series, (1.0 - exponential_x) / (x + TINY));
}

INLINE void advance(const Surrogate *s, Step p[VECTORS], real (*x)[VECTORS]) {
  real first[HIDDEN][VECTORS], second[HIDDEN][VECTORS], slow[STATES][VECTORS], target[STATES][VECTORS];
  dense(s->input, s->input_bias, (const real(*)[VECTORS])x, INPUTS, HIDDEN, first);
  silu(first);
  dense(s->between, s->between_bias, (const real(*)[VECTORS])first, HIDDEN, HIDDEN, second);
  silu(second);
  dense(s->rates, s->rates_bias, (const real(*)[VECTORS])second, HIDDEN, STATES, slow);
  dense(s->targets, s->targets_bias, (const real(*)[VECTORS])second, HIDDEN, STATES, target);
  real(*z)[VECTORS] = x + FEATURES;
  for (int v = 0; v < VECTORS; ++v) {
    real square = splat(0);
    for (int k = 0; k < DEVIATOR; ++k) square += p[v].moved[k] * p[v].moved[k];
    const real passed = p[v].size + p[v].dt * square / root(square + 1e-12);
    for (int k = 0; k < STATES; ++k) {
      const real decay = passed / (exponential(-slow[k][v]) + SHORTEST_MEMORY);
      const real left = exp_negative(-decay);
      real driven = splat(0);
      if (k < DEVIATOR) {
        z[k][v] = p[v].moved[k];
        driven = p[v].strain[k] * mean_of_exponential(decay, left);
      }
      const real u = target[k][v] * (1.0 / LARGEST_TARGET), bounded = target[k][v] / root(1.0 + u * u);
      z[k][v] = z[k][v] * left + bounded * (1.0 - left) + driven;
    }
  }
}

/* P = R T U^-1 with T = G s + J 2 lambda_e (J - 1) I. */
INLINE void piola(const Surrogate *s, const Step *p, const real z[5], real P[9]) {
  const real zero[3] = {splat(0), splat(0), splat(0)};
  real T[9], A[9];
  from_deviator5_and_axial(z, zero, T);
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

/* Advance n points. Arrays: F (n, 9), dt (n), stretch (n, 6), elastic strain (n, 5; over the strain scale), internal (n, INTERNAL),
 * extrapolation (n), P (n, 9). Returns how many points left the training range for the first time. */
long learned_update(const Surrogate *s, long n, const double *F, const double *dt, double *stretch, double *elastic,
                    double *internal, double *extrapolation, double *P) {
  long newly_outside = 0;
  for (long start = 0; start < n; start += BLOCK) {
    Step p[VECTORS];
    real x[INPUTS][VECTORS];
    long point[VECTORS][LANES];
    int lanes[VECTORS];
    for (int v = 0; v < VECTORS; ++v) {
      const long first = start + v * LANES, left = n - first;
      lanes[v] = left > LANES ? LANES : left > 0 ? (int)left : 0;
      for (int l = 0; l < LANES; ++l) point[v][l] = first + l < n ? first + l : n - 1; /* idle lanes repeat a point */
      real Fv[9], last[6], z[5], xi[INTERNAL], features[FEATURES];
      gather(F, point[v], 9, Fv);
      gather(dt, point[v], 1, &p[v].dt);
      gather(stretch, point[v], 6, last);
      gather(elastic, point[v], 5, z);
      gather(internal, point[v], INTERNAL, xi);
      kinematics(s, Fv, last, z, &p[v], features);
      for (int k = 0; k < FEATURES; ++k) x[k][v] = features[k];
      for (int k = 0; k < DEVIATOR; ++k) x[FEATURES + k][v] = z[k];
      for (int k = 0; k < INTERNAL; ++k) x[FEATURES + DEVIATOR + k][v] = xi[k];
    }
    advance(s, p, x);
    for (int v = 0; v < VECTORS; ++v) {
      real z[5], xi[INTERNAL], Pv[9];
      for (int k = 0; k < DEVIATOR; ++k) z[k] = x[FEATURES + k][v];
      for (int k = 0; k < INTERNAL; ++k) xi[k] = x[FEATURES + DEVIATOR + k][v];
      piola(s, &p[v], z, Pv);
      scatter(p[v].stretch, point[v], lanes[v], 6, stretch);
      scatter(z, point[v], lanes[v], 5, elastic);
      scatter(xi, point[v], lanes[v], INTERNAL, internal);
      scatter(Pv, point[v], lanes[v], 9, P);
      for (int l = 0; l < lanes[v]; ++l) {
        double *worst = extrapolation + point[v][l];
        newly_outside += *worst == 0.0 && p[v].outside[l] > 0.0;
        *worst = fmax(*worst, p[v].outside[l]);
      }
    }
  }
  return newly_outside;
}
