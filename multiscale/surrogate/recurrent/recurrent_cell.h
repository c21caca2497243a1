/* One step of the recurrent surrogate: what its network reads of a point, and what the point does with what the network
 * gives. The equations are those of recurrent.py; this is their one source, for the passes of training
 * (recurrent_training.c) and for material points (multiscale/surrogate/recurrent/learned_kernel.c).
 *
 * Written over two kinds of numbers: `real`, the point's, with constants of type `number`, and `part`, the network's, which
 * lie STRIDE apart. Beyond + - * it calls splat, copy, root, inverse_root, one_minus_exp and mean_exp alone, and compares
 * nothing. Numbers are lanes of many points here; numbers of one point, or complex ones that carry a derivative, do as well
 * (tests/verification/cell_of_one_point.c).
 *
 * A deviator has the components of increments.deviator5. Sizes and constants are those of architecture.py; with TEXTURE
 * the cell is told the texture of the polycrystal (recurrent_texture.h), without it none of that is there. */
#ifndef RECURRENT_CELL_H
#define RECURRENT_CELL_H

#define SMALL 1e-12                     /* rounds norms of the elastic strain off */
#define SHAPE (DIRECTION - 1)           /* of the features, ln m: how far the isochoric stretch is from none */
#define RATE (DIRECTION + DEVIATOR)     /* of the features */
#define SCALARS_FROM (DEVIATOR * DEVIATORS) /* of the state */
/* Among the deviators that are read: direction of the step, odd and even strain, and that of the texture. */
#define ALONG DEVIATORS
#define ODD (DEVIATORS + 1)
#define TEXTURED (READ - 1)
/* Among the tensors of which targets are combinations: those of the step, mean elastic strain, products, the state's, and
 * that of the texture. */
#define MEAN OF_STEP
#define FIRST_PRODUCT (MEAN + 1)
#define MOVED (FIRST_PRODUCT + PRODUCTS)

typedef real deviator[DEVIATOR];

/* What is known of a step. Strains are over the strain scale; the elastic ones are moved along by the step. */
typedef struct {
  real features[FEATURES], strain[DEVIATOR], size, dt;
  deviator moved[GROUPS];
#if TEXTURE
  real texture[OF_TEXTURE];
#endif
} Step;

/* Where a step would lead: tensors of which targets are combinations, bounded targets and their factors, norms of the
 * stress of each group, inverted and not, and their mean, and the radius of the targets of elastic strains. */
typedef struct {
  deviator basis[BASIS], target[DEVIATORS];
  real factor[DEVIATORS], inverse[GROUPS], stress[GROUPS], mean, radius;
} Flow;

INLINE real dot(const deviator a, const deviator b) {
  real sum = a[0] * b[0];
  for (int k = 1; k < DEVIATOR; ++k) sum += a[k] * b[k];
  return sum;
}

INLINE void add(real factor, const deviator a, deviator sum) {
  for (int k = 0; k < DEVIATOR; ++k) sum[k] += factor * a[k];
}

INLINE void clear(deviator a) {
  for (int k = 0; k < DEVIATOR; ++k) a[k] = splat(0);
}

/* p += dev((A B + B A) / 2). Its coefficients are symmetric in all three tensors: given the gradient g of p, that of a
 * is the product of g and b. */
INLINE void add_product(const deviator a, const deviator b, deviator p) {
  const number c2 = 0.35355339059327376220, c6 = 0.40824829046386301637; /* 1 / (2 2^(1/2)), 1 / 6^(1/2) */
  real r2[DEVIATOR], r6[DEVIATOR], h6[DEVIATOR]; /* computed once where many b follow one a */
  for (int k = 0; k < DEVIATOR; ++k) r2[k] = c2 * a[k], r6[k] = c6 * a[k], h6[k] = (number)0.5 * r6[k];
  p[0] += r6[0] * b[0] - r6[1] * b[1] - r6[4] * b[4] + h6[2] * b[2] + h6[3] * b[3];
  p[1] += r2[3] * b[3] - r2[2] * b[2] - r6[0] * b[1] - r6[1] * b[0];
  p[2] += r2[3] * b[4] + r2[4] * b[3] - r2[1] * b[2] - r2[2] * b[1] + h6[0] * b[2] + h6[2] * b[0];
  p[3] += r2[2] * b[4] + r2[4] * b[2] + r2[1] * b[3] + r2[3] * b[1] + h6[0] * b[3] + h6[3] * b[0];
  p[4] += r2[2] * b[3] + r2[3] * b[2] - r6[0] * b[4] - r6[4] * b[0];
}

#include "recurrent_texture.h"

/* Deviators as the network reads them: the state's, bounded, then those of the step and of the texture; and products. */
typedef struct {
  deviator of[READ], mean, products[PRODUCTS]; /* the mean is of the elastic strains, and bounded */
  deviator own[DEVIATORS][OWN];                /* each of the state's times the direction, and the texture's tensors */
  real factor[GROUPS], mean_factor;            /* by which they are bounded */
#if TEXTURE
  Map maps[TEXTURE_MAPS]; /* that of order 4, and those that the tensor of order 6 makes of A, A A and <m> */
  Six six;
#endif
} Tensors;

/* |a> = a / (1 + a.a)^(1/2); returns the factor. */
INLINE real bound(const deviator a, deviator out) {
  const real factor = inverse_root((number)1 + dot(a, a));
  for (int k = 0; k < DEVIATOR; ++k) out[k] = factor * a[k];
  return factor;
}

INLINE void mean_of_groups(const deviator *groups, deviator mean) {
  clear(mean);
  for (int g = 0; g < GROUPS; ++g) add(splat(1.0 / GROUPS), groups[g], mean);
}

/* How many products are read with deviator i of the state: with elastic strains those of order 6 too. */
#define READ_WITH(i) ((i) < GROUPS ? PRODUCTS : PRODUCTS - OF_ORDER_SIX)

/* What products are made of: two of the deviators that are read, the mean and former products; or one of them, which the
 * texture maps. They are A E, A <m>, <m> E, <m> <m> and A A. With a texture T2, T4 also T2 A, T2 E, T2 <m>; T4 A, T4 E,
 * T4 <m>, T4 T2, T4 (A A), T4 (A <m>), T4 (<m> <m>); and A (T4 A), (A A) (T4 A), A (T4 (A A)), <m> (T4 A), <m> (T4 <m>)
 * and T2 (A A). A tensor of order 4 needs these: with T4 A alone it says little of shear across the axes of A. One
 * of order 6 has T6 (A, A), T6 (A, A A), T6 (A A, A A), T6 (A, <m>), T6 (<m>, <m>), T6 (A, E), A T6 (A, A), A T6 (A, A A). */
#define MEAN_READ READ
#define PRODUCT(p) (READ + 1 + (p))
#define BY_FOUR (-1)
#define BY_ALONG (-2)
#define BY_SQUARE (-3)
#define BY_MEAN (-4)
#define MAP(by) (-1 - (by))
static const int made_of[PRODUCTS][2] = {
    {ALONG, ODD}, {ALONG, MEAN_READ}, {MEAN_READ, ODD}, {MEAN_READ, MEAN_READ}, {ALONG, ALONG},
#if TEXTURE
    {TEXTURED, ALONG}, {TEXTURED, ODD}, {TEXTURED, MEAN_READ},
    {ALONG, BY_FOUR}, {ODD, BY_FOUR}, {MEAN_READ, BY_FOUR}, {TEXTURED, BY_FOUR},
    {PRODUCT(4), BY_FOUR}, {PRODUCT(1), BY_FOUR}, {PRODUCT(3), BY_FOUR},
    {ALONG, PRODUCT(8)}, {PRODUCT(4), PRODUCT(8)}, {ALONG, PRODUCT(12)}, {MEAN_READ, PRODUCT(8)}, {MEAN_READ, PRODUCT(10)},
    {TEXTURED, PRODUCT(4)},
    {ALONG, BY_ALONG}, {PRODUCT(4), BY_ALONG}, {PRODUCT(4), BY_SQUARE}, {MEAN_READ, BY_ALONG}, {MEAN_READ, BY_MEAN},
    {ODD, BY_ALONG}, {ALONG, PRODUCT(21)}, {ALONG, PRODUCT(22)},
#endif
};

INLINE const real *operand(const Tensors *t, int o) {
  return o < READ ? t->of[o] : o == MEAN_READ ? t->mean : t->products[o - PRODUCT(0)];
}

/* Deviator of a strain measure in the features, a Mandel vector 11, 22, 33, 23, 13, 12. */
INLINE void deviator_of_mandel(const real *x, deviator out) {
  const number r2 = 0.70710678118654752440, r6 = 0.40824829046386301637;
  out[0] = ((number)2 * x[2] - x[0] - x[1]) * r6;
  out[1] = (x[0] - x[1]) * r2;
  for (int k = 2; k < DEVIATOR; ++k) out[k] = x[1 + k];
}

#if TEXTURE
/* The maps that the tensor of order 6 makes. */
INLINE void maps_of_six(const Six six, const deviator along, const deviator square, const deviator mean, Map *maps) {
  map_of_six(six, along, &maps[MAP(BY_ALONG)]);
  map_of_six(six, square, &maps[MAP(BY_SQUARE)]);
  map_of_six(six, mean, &maps[MAP(BY_MEAN)]);
}

INLINE void maps_of_texture(const real *texture, Tensors *t) {
  deviator square;
  clear(square);
  add_product(t->of[ALONG], t->of[ALONG], square);
  map_of_texture(texture, &t->maps[MAP(BY_FOUR)]);
  six_of_texture(texture, t->six);
  maps_of_six(t->six, t->of[ALONG], square, t->mean, t->maps);
}
#endif

INLINE void tensors_of(const Step *step, const real z[STATES], Tensors *t) {
  copy(z, SCALARS_FROM, t->of[0]);
  mean_of_groups((const deviator *)t->of, t->mean);
  t->mean_factor = bound(t->mean, t->mean);
  for (int g = 0; g < GROUPS; ++g) t->factor[g] = bound(t->of[g], t->of[g]);
  copy(step->features + DIRECTION, DEVIATOR, t->of[ALONG]);
  deviator_of_mandel(step->features, t->of[ODD]);
  deviator_of_mandel(step->features + 6, t->of[ODD + 1]);
#if TEXTURE
  deviator_of_texture(step->texture, t->of[TEXTURED]);
  maps_of_texture(step->texture, t);
#endif
  for (int p = 0; p < PRODUCTS; ++p) {
    clear(t->products[p]);
#if TEXTURE
    if (made_of[p][1] < 0)
      add_mapped(&t->maps[MAP(made_of[p][1])], operand(t, made_of[p][0]), t->products[p]);
    else
#endif
      add_product(operand(t, made_of[p][0]), operand(t, made_of[p][1]), t->products[p]);
  }
  for (int i = 0; i < DEVIATORS; ++i) {
    clear(t->own[i][0]);
    add_product(t->of[ALONG], t->of[i], t->own[i][0]);
  }
#if TEXTURE
  for (int i = 0; i < DEVIATORS; ++i) {
    clear(t->own[i][1]);
    add_product(t->of[TEXTURED], t->of[i], t->own[i][1]);
    mapped(&t->maps[MAP(BY_FOUR)], t->of[i], t->own[i][2]);
  }
#endif
}

/* What the network reads of a state and a step. */
INLINE void invariants(const Tensors *t, const Step *step, const real z[STATES], part *x) {
  const real *f = step->features;
  const real of_step[OF_STEP_ALONE] = {f[SHAPE], f[RATE], f[RATE + 1], f[0] + f[1] + f[2], f[6] + f[7] + f[8]};
  for (int l = 0; l < SCALARS; ++l, x += STRIDE) *x = as_part(z[SCALARS_FROM + l]);
  for (int i = 0; i < DEVIATORS; ++i) {
    for (int p = 0; p < READ_WITH(i); ++p, x += STRIDE) *x = as_part(dot(t->of[i], t->products[p]));
    for (int o = 0; o < OWN; ++o, x += STRIDE) *x = as_part(dot(t->of[i], t->own[i][o]));
  }
  for (int i = 0; i < READ; ++i)
    for (int j = i; j < READ; ++j, x += STRIDE) *x = as_part(dot(t->of[i], t->of[j]));
  for (int k = 0; k < OF_STEP_ALONE; ++k, x += STRIDE) *x = as_part(of_step[k]);
#if TEXTURE
  for (int k = 0; k < TEXTURE_PAIRS; ++k, x += STRIDE)
    *x = as_part(dot(t->of[texture_pairs[k][0]], t->products[texture_pairs[k][1]]));
  *x = as_part(square_of(&t->maps[MAP(BY_FOUR)]));
  x[STRIDE] = as_part(square_of_six(step->texture));
#endif
}

/* What a step leads to, given the coefficients of the targets that the network gave. */
INLINE void flow_of(const Tensors *t, const Step *step, const part *coefficients, Flow *f) {
  const number share = 1.0 / GROUPS;
  real trial = splat(SMALL);
  copy(t->of[ALONG], OF_STEP * DEVIATOR, f->basis[0]);
  mean_of_groups(step->moved, f->basis[MEAN]);
  copy(t->products[0], PRODUCTS * DEVIATOR, f->basis[FIRST_PRODUCT]);
  copy(step->moved[0], ELASTIC, f->basis[MOVED]);
  copy(t->of[GROUPS], TENSORS * DEVIATOR, f->basis[MOVED + GROUPS]);
#if TEXTURE
  copy(t->of[TEXTURED], DEVIATOR, f->basis[MOVED + DEVIATORS]);
#endif
  for (int i = 0; i < DEVIATORS; ++i, coefficients += COEFFICIENTS * STRIDE) {
    deviator sum;
    clear(sum);
    for (int b = 0; b < BASIS; ++b) add(as_real(coefficients[b * STRIDE]), f->basis[b], sum);
    for (int o = 0; o < OWN; ++o) add(as_real(coefficients[(BASIS + o) * STRIDE]), t->own[i][o], sum);
    f->factor[i] = bound(sum, f->target[i]);
  }
  f->mean = splat(0);
  for (int g = 0; g < GROUPS; ++g) {
    const real *moved = step->moved[g], square = dot(moved, moved);
    for (int k = 0; k < DEVIATOR; ++k) trial += (moved[k] + step->strain[k]) * (moved[k] + step->strain[k]) * share;
    f->inverse[g] = inverse_root(square + (number)SMALL);
    f->stress[g] = square * f->inverse[g];
    f->mean += f->stress[g] * share;
  }
  f->radius = root(trial);
}

/* By how much variable q has relaxed, in its memory: strain passed and time under stress, times its rate. */
INLINE real decay_of(const Flow *f, const Step *step, int q, real rate) {
  return (step->size + step->dt * (q < GROUPS ? f->stress[q] : f->mean)) * rate;
}

/* The state z after a step, in place, given rates and the targets of scalars that the network gave. No decay and no
 * strain change no bit. */
INLINE void relax(const Flow *f, const Step *step, const part *rates, const part *goals, real z[STATES]) {
  for (int i = 0; i < DEVIATORS; ++i) {
    const real decay = decay_of(f, step, i, as_real(rates[i * STRIDE])), gain = one_minus_exp(decay);
    const real *before = f->basis[MOVED + i];
    const real scale = i < GROUPS ? f->radius : splat(1);
    for (int k = 0; k < DEVIATOR; ++k)
      z[i * DEVIATOR + k] = before[k] + gain * (f->target[i][k] * scale - before[k]);
    if (i < GROUPS) add(mean_exp(decay, gain), step->strain, z + i * DEVIATOR);
  }
  for (int l = 0; l < SCALARS; ++l) {
    const real goal = as_real(goals[l * STRIDE]), target = goal * inverse_root((number)1 + goal * goal);
    const real rate = as_real(rates[(DEVIATORS + l) * STRIDE]);
    z[SCALARS_FROM + l] += one_minus_exp(decay_of(f, step, DEVIATORS + l, rate)) * (target - z[SCALARS_FROM + l]);
  }
}
#endif
