/* The derivative of the tensors of order 4 of the state (recurrent_fourth.h), carried through a step. */
#ifndef RECURRENT_FOURTH_FORWARD_H
#define RECURRENT_FOURTH_FORWARD_H

#if FOURTHS
/* The change of (a b)_4. */
INLINE void dyad_forward(const deviator a, const deviator b, const deviator da, const deviator db, fourth out) {
  fourth other;
  dyad(da, b, out);
  dyad(a, db, other);
  fourth_add(splat(1), other, out);
}

/* The change of {A, M}_4. */
INLINE void turned_forward(const deviator a, const Map *map, const deviator da, const Map *dmap, fourth out) {
  fourth other;
  turned(da, map, out);
  turned(a, dmap, other);
  fourth_add(splat(1), other, out);
}

/* p = the change of Q x, or of Q T4. */
INLINE void fourth_product_forward(const Tensors *t, const Tensors *d, int one, int map, deviator p) {
  clear(p);
  if (one == MAPPED) {
    add_contracted(&d->map[map], &t->map[0], p);
  } else {
    add_mapped(&d->map[map], operand(t, one), p);
    add_mapped(&t->map[map], operand(d, one), p);
  }
}

/* The change of what fourth_scalars makes. */
INLINE part *fourth_scalars_forward(const Tensors *t, const Tensors *d, part *dx) {
  for (int k = 0; k < FOURTHS; ++k) {
    for (int i = 0; i < FOURTH_PAIRS; ++i, dx += STRIDE) {
      const int one = fourth_pairs[i][0], p = FOURTH_PRODUCT(k, fourth_pairs[i][1]);
      *dx = as_part(dot_forward(t->of[one], t->products[p], d->of[one], d->products[p]));
    }
    for (int j = 0; j <= k + 1; ++j, dx += STRIDE)
      *dx = as_part(fourth_dot(d->fourths[k + 1], t->fourths[j]) + fourth_dot(t->fourths[k + 1], d->fourths[j]));
  }
  return dx;
}

/* The change of what fourth_flow makes. Of it, factors stay. */
INLINE void fourth_flow_forward(const Tensors *t, const Tensors *dt, const part *coefficients, const part *dcoefficients,
                                const FourthFlow *f, FourthFlow *d) {
  copy(dt->fourths[0], FOURTH, d->basis[0]);
  for (int k = 0; k < DYADS; ++k) {
    const int one = dyads[k][0], other = dyads[k][1];
    dyad_forward(operand(t, one), operand(t, other), operand(dt, one), operand(dt, other), d->basis[FIRST_DYAD + k]);
  }
  copy(dt->fourths[1], FOURTHS * FOURTH, d->basis[FIRST_FOURTH]);
  turned(dt->of[ALONG], &t->map[0], d->basis[TURNED_TEXTURE]);
  for (int k = 0; k < FOURTHS; ++k, coefficients += STRIDE, dcoefficients += STRIDE) {
    fourth sum;
    fourth_clear(sum);
    turned_forward(t->of[ALONG], &t->map[1 + k], dt->of[ALONG], &dt->map[1 + k], d->own[k]);
    for (int b = 0; b < FOURTH_BASIS; ++b, coefficients += STRIDE, dcoefficients += STRIDE) {
      fourth_add(as_real(*coefficients), d->basis[b], sum);
      fourth_add(as_real(*dcoefficients), f->basis[b], sum);
    }
    fourth_add(as_real(*coefficients), d->own[k], sum);
    fourth_add(as_real(*dcoefficients), f->own[k], sum);
    const real along = fourth_dot(f->target[k], sum);
    for (int m = 0; m < FOURTH; ++m) d->target[k][m] = f->factor[k] * (sum[m] - f->target[k][m] * along);
  }
}
#endif
#endif
