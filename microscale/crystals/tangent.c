/* dP/dF of a step of viscoplastic crystals, by central differences in which the sub-steps stay.
 *
 * The step control (step.h) takes other sub-steps where F is a little different, and the stress jumps by a part of the error
 * that it allows: noise to a difference. So the sub-steps of a crystal are taken down once, and all changes of F, in the
 * lanes of vectors, go through the same ones. */
#include <stdlib.h>

#include "batch.h"

#define CHANGES 18 /* each component of F to and fro */
#define COARSEST 1e-8 /* GPa, tolerance of a stage that is differenced */

/* Where the sub-steps of a crystal end, as shares of the step. */
typedef struct {
  double *ends;
  long count, room;
} Schedule;

/* Take down the sub-steps of the crystal that all lanes follow. Returns 0 where it fails, or there is no memory. */
static int take_down(const Crystal *c, Interval x, Schedule *s) {
  const mask all = splat(0) == 0.0;
  s->count = 0;
  while (x.theta[0] < 1.0 - 1e-12) {
    const double before = x.theta[0];
    if (any(try_step(c, &x, all))) return 0;
    if (x.theta[0] == before) continue;
    if (s->count == s->room) {
      double *more = realloc(s->ends, (2 * s->room + 16) * sizeof(double));
      if (!more) return 0;
      s->ends = more, s->room = 2 * s->room + 16;
    }
    s->ends[s->count++] = x.theta[0];
  }
  return 1;
}

/* A sub-step to the share `end`. Returns 0 where it does not converge. */
static int repeat_step(const Crystal *c, double end, Interval *x) {
  real F[9], deviator[2][5];
  Increment first, second;
  State next;
  between(x->F0, x->F1, x->theta, F);
  stress_at(c, F, &x->state, deviator[0]);
  if (any(~sub_step(c, x, end - x->theta, deviator, &first, &second, &next))) return 0;
  x->state = next;
  x->theta = splat(end);
  return 1;
}

/* Go through sub-steps that were taken down, to as fine a tolerance as rounding lets: it grows with the power of the
 * viscous law. Returns 0 where one does not converge. */
static int repeat(const Crystal *exact, const Schedule *s, Interval *x) {
  for (long k = 0; k < s->count; ++k) {
    if (repeat_step(exact, s->ends[k], x)) continue;
    Crystal coarser = *exact;
    do {
      coarser.newton_tolerance *= 10.0;
      if (coarser.newton_tolerance > COARSEST) return 0;
    } while (!repeat_step(&coarser, s->ends[k], x));
  }
  return 1;
}

/* Let each lane take sub-steps of its own. Returns 0 where one fails. */
static int go_free(const Crystal *c, Interval *x) {
  mask going = x->theta < 1.0 - 1e-12;
  while (any(going)) {
    if (any(try_step(c, x, going))) return 0;
    going &= x->theta < 1.0 - 1e-12;
  }
  return 1;
}

/* Change component i / 2 of F by -size or size, in crystal legs. */
static void change_F(const Batch *b, long q, int i, double size, int lane, Interval *x) {
  const long p = q / b->grains, grain = q - p * b->grains;
  const double *Q = b->orientation + (b->own ? 9 * p * b->grains : 0) + grain;
  const int row = i / 2 / 3, column = i / 2 % 3;
  for (int j = 0; j < 3; ++j) x->F1[3 * row + j][lane] += (i % 2 ? size : -size) * Q[(3 * column + j) * b->grains];
}

/* What the elastic deformation of crystal q is after each change, times its weight, is added to sums. `exact`: a crystal
 * whose stages are solved to rounding. */
static int add_changes(const Crystal *c, const Crystal *exact, const Batch *b, long q, double size, double weight,
                       Schedule *s, double sums[CHANGES][6]) {
  Interval start;
  for (int l = 0; l < LANES; ++l) take(b, q, l, &start);
  if (!take_down(c, start, s)) return 0;
  for (int first = 0; first < CHANGES; first += LANES) {
    Interval moved = start, x;
    for (int l = 0; l < LANES && first + l < CHANGES; ++l) change_F(b, q, first + l, size, l, &moved);
    x = moved;
    /* A grain about to go off, half twinned, may not come through given sub-steps: it is differenced as it is. */
    if (!repeat(exact, s, &x)) {
      x = moved;
      if (!go_free(c, &x)) return 0;
    }
    for (int l = 0; l < LANES && first + l < CHANGES; ++l) {
      double result[6];
      elastic_of(&x, l, result);
      for (int k = 0; k < 6; ++k) sums[first + l][k] += weight * result[k];
    }
  }
  return 1;
}

static void divide(const Crystal *c, const double F[9], double size, double sums[CHANGES][6], double tangent[81]) {
  for (int b = 0; b < 9; ++b) {
    double P[2][9];
    for (int side = 0; side < 2; ++side) {
      double moved[9];
      memcpy(moved, F, sizeof moved);
      moved[b] += side ? size : -size;
      piola(c, moved, sums[2 * b + side], P[side]);
    }
    for (int a = 0; a < 9; ++a) tangent[9 * a + b] = (P[1][a] - P[0][a]) / (2.0 * size);
  }
}

/* dP/dF (n, 81) of the step that crystal_update makes, by changes of F of `size`. No array but the last is written.
 * Returns the first point that failed, or -1. */
long crystal_tangent(const Crystal *c, const Crystal *exact, double size, long n, long grains, long own,
                     const double *orientation, const double *weight, const double *F, const double *dt, double *F_old,
                     double *plastic_inverse, double *slip, double *twin, double *tangent, int threads) {
  const Batch batch = {grains, own, orientation, F, dt, F_old, plastic_inverse, slip, twin};
  long bad = n;
#pragma omp parallel for schedule(dynamic) num_threads(threads) if (n > 1) reduction(min : bad)
  for (long p = 0; p < n; ++p) {
    double sums[CHANGES][6] = {{0}};
    Schedule schedule = {NULL, 0, 0};
    int good = 1;
    for (long grain = 0; good && grain < grains; ++grain)
      good = add_changes(c, exact, &batch, p * grains + grain, size, weight[grain], &schedule, sums);
    free(schedule.ends);
    if (good)
      divide(c, F + 9 * p, size, sums, tangent + 81 * p);
    else if (p < bad)
      bad = p;
  }
  return bad == n ? -1 : bad;
}
