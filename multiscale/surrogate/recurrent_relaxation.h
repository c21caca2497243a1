/* What a step does to the variables of multiscale/surrogate/recurrent.py, given what the network gave, and back.
 *
 * Only here is mechanics; recurrent_training.c has the network and the way through time. */
#pragma once
#include <string.h>

#include "recurrent_layers.h"

#define SMALL 1e-12f /* rounds norms off */
/* Rows of a step in the data: features, map of the elastic strain, driving strain, size, time step. */
#define MAPS FEATURES
#define DRIVE (MAPS + DEVIATOR * DEVIATOR)
#define SIZE (DRIVE + DEVIATOR)
#define DT (SIZE + 1)
#define DATA (DT + 1)

/* What a step leaves for the way back. */
typedef struct {
  row x[INPUTS], first[HIDDEN], second[HIDDEN], rates[RATES], targets[TARGETS], moved[ELASTIC];
} Tape;

/* (1 - exp(-x)) / x and its derivative, given exp(-x). */
INLINE void mean_of_exponential(vec x, vec left, vec *mean, vec *slope) {
  const bits small = x < 0.02f;
  const vec safe = choose(small, splat(1), x), exact = (1.0f - left) / safe;
  *mean = choose(small, 1.0f - x * (0.5f - x * (1.0f / 6)), exact);
  *slope = choose(small, -0.5f + x * (1.0f / 3 - x * 0.125f), (left - exact) / safe);
}

/* Norms of one vector of lanes: of the stress of each group and their mean, of the ball the targets of elastic
 * strains lie in, and the factors that bring targets into it (groups) or within one (other variables). */
typedef struct {
  vec square[GROUPS], inverse[GROUPS], stress[GROUPS], mean, radius, factor[GROUPS + INTERNAL];
} Norms;

INLINE Norms norms_of(const row *moved, const row *drive, const row *targets, int v) {
  Norms n = {.mean = splat(0)};
  vec trial = splat(SMALL);
  for (int g = 0; g < GROUPS; ++g) {
    vec reach = splat(1);
    n.square[g] = splat(0);
    for (int k = 0; k < DEVIATOR; ++k) {
      const int j = g * DEVIATOR + k;
      const vec t = moved[j][v] + drive[k][v];
      n.square[g] += moved[j][v] * moved[j][v];
      trial += t * t * (1.0f / GROUPS);
      reach += targets[j][v] * targets[j][v];
    }
    n.inverse[g] = 1.0f / root(n.square[g] + SMALL);
    n.stress[g] = n.square[g] * n.inverse[g];
    n.mean += n.stress[g] * (1.0f / GROUPS);
    n.factor[g] = 1.0f / root(reach);
  }
  for (int k = 0; k < INTERNAL; ++k)
    n.factor[GROUPS + k] = 1.0f / root(1.0f + targets[ELASTIC + k][v] * targets[ELASTIC + k][v]);
  n.radius = root(trial);
  return n;
}

/* Relaxation along a step: one rate for the elastic strain of a group, and one for each other variable. */
typedef struct {
  vec rate, passed, left, mean, slope;
  int first, count; /* variables that relax so */
} Relaxation;

INLINE Relaxation relaxation_of(const Norms *n, const row *d, const Tape *tape, int q, int v) {
  const int group = q < GROUPS;
  Relaxation r = {.first = group ? q * DEVIATOR : ELASTIC + q - GROUPS, .count = group ? DEVIATOR : 1};
  r.rate = 1.0f / (exponential(-tape->rates[q][v]) + (float)SHORTEST_MEMORY);
  r.passed = d[SIZE][v] + d[DT][v] * (group ? n->stress[q] : n->mean);
  r.left = exponential(-r.passed * r.rate);
  mean_of_exponential(r.passed * r.rate, r.left, &r.mean, &r.slope);
  return r;
}

INLINE vec before(const Tape *tape, int k, int v) {
  return k < ELASTIC ? tape->moved[k][v] : tape->x[FEATURES + k][v];
}

INLINE vec target_of(const Norms *n, const Tape *tape, int k, int v) {
  const vec bound = k < ELASTIC ? n->factor[k / DEVIATOR] * n->radius : n->factor[GROUPS + k - ELASTIC];
  return tape->targets[k][v] * bound;
}

/* Deviator of the odd strain features, a Mandel vector 11, 22, 33, 23, 13, 12. */
INLINE void odd_deviator(const row *d, int v, vec out[DEVIATOR]) {
  out[0] = (2.0f * d[2][v] - d[0][v] - d[1][v]) * 0.40824829f;
  out[1] = (d[0][v] - d[1][v]) * 0.70710678f;
  for (int k = 2; k < DEVIATOR; ++k) out[k] = d[1 + k][v];
}

/* Products of the elastic strains, the direction of the step and the strain; those with s over (1 + s.s)^(1/2), so
 * that they grow no faster than s. out: three a group, and one. */
INLINE void invariants(const row *d, const row *z, row *out) {
  for (int v = 0; v < VECTORS; ++v) {
    vec E[DEVIATOR];
    odd_deviator(d, v, E);
    for (int i = 0; i < INVARIANTS; ++i) out[i][v] = splat(0);
    for (int k = 0; k < DEVIATOR; ++k) {
      out[3 * GROUPS][v] += d[DIRECTION + k][v] * E[k];
      for (int g = 0; g < GROUPS; ++g) {
        const vec s = z[g * DEVIATOR + k][v];
        out[3 * g][v] += s * d[DIRECTION + k][v];
        out[3 * g + 1][v] += s * s;
        out[3 * g + 2][v] += s * E[k];
      }
    }
    for (int g = 0; g < GROUPS; ++g) {
      const vec scale = 1.0f / root(1.0f + out[3 * g + 1][v]);
      for (int i = 0; i < 3; ++i) out[3 * g + i][v] *= scale;
    }
  }
}

/* Given what invariants returned, and gradients by it. */
INLINE void invariants_backward(const row *d, const row *z, const row *found, const row *given, row *dz) {
  for (int v = 0; v < VECTORS; ++v) {
    vec E[DEVIATOR];
    odd_deviator(d, v, E);
    for (int g = 0; g < GROUPS; ++g) {
      vec square = splat(0), along = splat(0);
      for (int k = 0; k < DEVIATOR; ++k) square += z[g * DEVIATOR + k][v] * z[g * DEVIATOR + k][v];
      const vec scale = 1.0f / root(1.0f + square);
      for (int i = 0; i < 3; ++i) along += given[3 * g + i][v] * found[3 * g + i][v];
      const vec itself = 2.0f * scale * given[3 * g + 1][v] - scale * scale * along;
      for (int k = 0; k < DEVIATOR; ++k)
        dz[g * DEVIATOR + k][v] += scale * (given[3 * g][v] * d[DIRECTION + k][v] + given[3 * g + 2][v] * E[k]) +
                                   itself * z[g * DEVIATOR + k][v];
    }
  }
}

/* Tensors the targets of elastic strains may follow: direction of the step, mean elastic strain, strain. */
INLINE void followed(const row *d, const row *moved, int v, vec T[FOLLOWED][DEVIATOR]) {
  odd_deviator(d, v, T[2]);
  for (int k = 0; k < DEVIATOR; ++k) {
    T[0][k] = d[DIRECTION + k][v];
    T[1][k] = splat(0);
    for (int g = 0; g < GROUPS; ++g) T[1][k] += moved[g * DEVIATOR + k][v] * (1.0f / GROUPS);
  }
}

/* Gradients of the coefficients with which targets follow, and of the mean elastic strain. */
INLINE void followed_backward(const row *d, const Tape *tape, int v, row *dtargets, vec *dmoved) {
  vec T[FOLLOWED][DEVIATOR], dmean[DEVIATOR];
  followed(d, tape->moved, v, T);
  for (int k = 0; k < DEVIATOR; ++k) dmean[k] = splat(0);
  for (int g = 0; g < GROUPS; ++g) {
    const int first = STATES + g * FOLLOWED;
    for (int b = 0; b < FOLLOWED; ++b) dtargets[first + b][v] = splat(0);
    for (int k = 0; k < DEVIATOR; ++k) {
      const vec dtarget = dtargets[g * DEVIATOR + k][v];
      for (int b = 0; b < FOLLOWED; ++b) dtargets[first + b][v] += dtarget * T[b][k];
      dmean[k] += dtarget * tape->targets[first + 1][v] * (1.0f / GROUPS);
    }
  }
  for (int j = 0; j < ELASTIC; ++j) dmoved[j] += dmean[j % DEVIATOR];
}

/* Relaxation of the variables along a step, towards the targets and at the rates of the tape. state: in and out. */
INLINE void relax(const row *d, Tape *tape, row *state) {
  for (int v = 0; v < VECTORS; ++v) {
    for (int j = 0; j < ELASTIC; ++j) {
      const row *map = d + MAPS + DEVIATOR * (j % DEVIATOR), *strain = tape->x + FEATURES + j - j % DEVIATOR;
      tape->moved[j][v] = state[j][v];
      for (int m = 0; m < DEVIATOR; ++m) tape->moved[j][v] += map[m][v] * strain[m][v];
    }
    vec T[FOLLOWED][DEVIATOR];
    followed(d, tape->moved, v, T);
    for (int j = 0; j < ELASTIC; ++j)
      for (int b = 0; b < FOLLOWED; ++b)
        tape->targets[j][v] += tape->targets[STATES + j / DEVIATOR * FOLLOWED + b][v] * T[b][j % DEVIATOR];
    const Norms norms = norms_of(tape->moved, d + DRIVE, tape->targets, v);
    for (int q = 0; q < RATES; ++q) {
      const Relaxation r = relaxation_of(&norms, d, tape, q, v);
      for (int k = r.first; k < r.first + r.count; ++k) {
        const vec target = target_of(&norms, tape, k, v);
        state[k][v] = target + (before(tape, k, v) - target) * r.left;
        if (k < ELASTIC) state[k][v] += d[DRIVE + k % DEVIATOR][v] * r.mean;
      }
    }
  }
}

/* dstate: in, gradient with respect to the state after the step; out, before it, but for the network's part.
 * drates, dtargets: out, those with respect to what the network gave. */
INLINE void relaxation_backward(const row *d, const Tape *tape, row *dstate, row *drates, row *dtargets) {
  for (int v = 0; v < VECTORS; ++v) {
    const Norms n = norms_of(tape->moved, d + DRIVE, tape->targets, v);
    vec dold[STATES], dstress[GROUPS], along[GROUPS], dmean = splat(0), dradius = splat(0);
    for (int g = 0; g < GROUPS; ++g) dstress[g] = along[g] = splat(0);
    for (int q = 0; q < RATES; ++q) {
      const Relaxation r = relaxation_of(&n, d, tape, q, v);
      vec ddecay = splat(0);
      for (int k = r.first; k < r.first + r.count; ++k) {
        const vec dz = dstate[k][v], dtarget = dz * (1.0f - r.left);
        ddecay -= r.left * (before(tape, k, v) - target_of(&n, tape, k, v)) * dz;
        dold[k] = dz * r.left;
        if (k < ELASTIC) {
          ddecay += d[DRIVE + k % DEVIATOR][v] * r.slope * dz;
          along[q] += dtarget * tape->targets[k][v];
          dtargets[k][v] = dtarget; /* finished below, where the sum over the group is known */
        } else {
          const vec factor = n.factor[q];
          dtargets[k][v] = dtarget * factor * factor * factor;
        }
      }
      *(q < GROUPS ? dstress + q : &dmean) += ddecay * r.rate;
      drates[q][v] = ddecay * r.passed * r.rate * (1.0f - (float)SHORTEST_MEMORY * r.rate);
    }
    for (int g = 0; g < GROUPS; ++g) dradius += along[g] * n.factor[g];
    for (int j = 0; j < ELASTIC; ++j) {
      const int g = j / DEVIATOR;
      const vec moved = tape->moved[j][v], factor = n.factor[g];
      const vec slope = n.inverse[g] * (1.0f - 0.5f * n.stress[g] * n.inverse[g]); /* of the stress by its square */
      const vec dsquare = (dstress[g] + dmean * (1.0f / GROUPS)) * d[DT][v] * slope;
      dtargets[j][v] = n.radius * factor * (dtargets[j][v] - tape->targets[j][v] * factor * factor * along[g]);
      dold[j] += 2.0f * moved * dsquare + (moved + d[DRIVE + j % DEVIATOR][v]) * dradius / (n.radius * GROUPS);
    }
    followed_backward(d, tape, v, dtargets, dold);
    for (int m = 0; m < STATES; ++m) {
      dstate[m][v] = dold[m];
      if (m < ELASTIC)
        for (int k = 0; k < DEVIATOR; ++k)
          dstate[m][v] += d[MAPS + DEVIATOR * k + m % DEVIATOR][v] * dold[m - m % DEVIATOR + k];
    }
  }
}
