/* Tensors of order 4 in the state of the recurrent cell: harmonic as that of the texture, nine numbers each, and zero at
 * rest. A polycrystal is linear in its texture, and what its grains remember depends on their orientation: the part of a
 * memory of order 4 meets the part of the texture of order 4. */
#ifndef RECURRENT_FOURTH_H
#define RECURRENT_FOURTH_H

#if FOURTHS
/* Scalars of the state: which deviators times which products of a tensor of order 4. */
#define FOURTH_PAIRS 5
static const int fourth_pairs[FOURTH_PAIRS][2] = {{ALONG, 0}, {ALONG, 2}, {ODD, 0}, {TEXTURED, 0}, {ALONG, 5}};
#define FOURTH_PRODUCT(k, p) (FIRST_FOURTH_PRODUCT + (k) * FOURTH_PRODUCTS + (p))

/* What its target combines: T4, (a b)_4 of these pairs a, b, the state's and {A, T4}_4; and {A, Q}_4 of its own. */
#define DYADS 6
static const int dyads[DYADS][2] = {{ALONG, ALONG},    {ALONG, MEAN_READ},   {MEAN_READ, MEAN_READ},
                                    {ALONG, TEXTURED}, {TEXTURED, TEXTURED}, {MEAN_READ, TEXTURED}};
#define FIRST_DYAD 1
#define FIRST_FOURTH (FIRST_DYAD + DYADS)
#define TURNED_TEXTURE (FIRST_FOURTH + FOURTHS)

/* p += Q x, or Q T4 where `one` is no deviator. */
INLINE void fourth_product(const Tensors *t, int one, int map, deviator p) {
  if (one == MAPPED)
    add_contracted(&t->map[map], &t->map[0], p);
  else
    add_mapped(&t->map[map], operand(t, one), p);
}

/* Scalars of the tensors of order 4 of the state; returns where those that follow belong. */
INLINE part *fourth_scalars(const Tensors *t, part *x) {
  for (int k = 0; k < FOURTHS; ++k) {
    for (int i = 0; i < FOURTH_PAIRS; ++i, x += STRIDE)
      *x = as_part(dot(t->of[fourth_pairs[i][0]], t->products[FOURTH_PRODUCT(k, fourth_pairs[i][1])]));
    for (int j = 0; j <= k + 1; ++j, x += STRIDE) *x = as_part(fourth_dot(t->fourths[k + 1], t->fourths[j]));
  }
  return x;
}

INLINE void fourth_flow(const Tensors *t, const part *coefficients, FourthFlow *f) {
  copy(t->fourths[0], FOURTH, f->basis[0]);
  for (int d = 0; d < DYADS; ++d) dyad(operand(t, dyads[d][0]), operand(t, dyads[d][1]), f->basis[FIRST_DYAD + d]);
  copy(t->fourths[1], FOURTHS * FOURTH, f->basis[FIRST_FOURTH]);
  turned(t->of[ALONG], &t->map[0], f->basis[TURNED_TEXTURE]);
  for (int k = 0; k < FOURTHS; ++k, coefficients += STRIDE) {
    fourth sum;
    fourth_clear(sum);
    turned(t->of[ALONG], &t->map[1 + k], f->own[k]);
    for (int b = 0; b < FOURTH_BASIS; ++b, coefficients += STRIDE)
      fourth_add(as_real(*coefficients), f->basis[b], sum);
    fourth_add(as_real(*coefficients), f->own[k], sum);
    f->factor[k] = inverse_root((number)1 + fourth_dot(sum, sum));
    for (int m = 0; m < FOURTH; ++m) f->target[k][m] = f->factor[k] * sum[m];
  }
}
#endif
#endif
