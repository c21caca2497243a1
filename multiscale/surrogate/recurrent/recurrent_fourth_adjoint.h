/* The way back through the tensors of order 4 of the state (recurrent_fourth.h). */
#ifndef RECURRENT_FOURTH_ADJOINT_H
#define RECURRENT_FOURTH_ADJOINT_H

#if FOURTHS
/* What scalars pass to the products, and to the state; returns the gradients that follow. */
INLINE const part *fourth_scalars_backward(const Tensors *t, const part *given, Products *d, State dz) {
  for (int k = 0; k < FOURTHS; ++k) {
    for (int i = 0; i < FOURTH_PAIRS; ++i, given += STRIDE)
      add(*given, t->of[fourth_pairs[i][0]], d->products[FOURTH_PRODUCT(k, fourth_pairs[i][1])]);
    for (int j = 0; j <= k + 1; ++j, given += STRIDE) {
      fourth_add(*given, t->fourths[j], dz + FOURTHS_FROM + k * FOURTH);
      if (j > 0) fourth_add(*given, t->fourths[k + 1], dz + FOURTHS_FROM + (j - 1) * FOURTH);
    }
  }
  return given;
}

/* What the gradient dproduct of Q x, or of Q T4 where `one` is no deviator, passes to Q. */
INLINE void fourth_product_backward(const Tensors *t, int one, const deviator dproduct, real *dfourth) {
  fourth added;
  if (one == MAPPED)
    turned(dproduct, &t->map[0], added);
  else
    dyad(dproduct, operand(t, one), added);
  fourth_add(splat(1), added, dfourth);
}

/* What the gradient dsum of a sum before it is bounded passes on: to its coefficients, the mean and the state. */
INLINE void fourth_sum_backward(const Tensors *t, const FourthFlow *f, int k, const fourth dsum, const part *coefficients,
                                part *down, deviator dmean, fourth *dfourths) {
  Map by;
  fourth back;
  map_of(dsum, &by);
  turned(t->of[ALONG], &by, back);
  for (int b = 0; b < FOURTH_BASIS; ++b) down[b * STRIDE] = fourth_dot(dsum, f->basis[b]);
  down[FOURTH_BASIS * STRIDE] = fourth_dot(dsum, f->own[k]);
  for (int d = 0; d < DYADS; ++d)
    for (int side = 0; side < 2; ++side)
      if (dyads[d][side] == MEAN_READ) {
        deviator added;
        mapped(&by, operand(t, dyads[d][1 - side]), added);
        add(coefficients[(FIRST_DYAD + d) * STRIDE], added, dmean);
      }
  for (int j = 0; j < FOURTHS; ++j) fourth_add(coefficients[(FIRST_FOURTH + j) * STRIDE], dsum, dfourths[j]);
  fourth_add(coefficients[FOURTH_BASIS * STRIDE], back, dfourths[k]);
}

/* dz: in, the gradients of the tensors of order 4 after the step; out, before it, but for what the network and products
 * pass back. dmean: out, of the mean as targets have it. */
INLINE void fourths_backward(const Tensors *t, const Flow *f, const Step *step, const part *rates, const part *targets,
                             State dz, Passed *d, real *dpassed, deviator dmean) {
  fourth dfourths[FOURTHS];
  clear(dmean);
  for (int k = 0; k < FOURTHS; ++k) fourth_clear(dfourths[k]);
  for (int k = 0; k < FOURTHS; ++k) {
    const int q = DEVIATORS + SCALARS + k, first = (FOURTH_TARGETS + k * FOURTH_COEFFICIENTS) * STRIDE;
    const Relaxation r = relaxation_of(f, step, rates, q);
    const real *target = f->fourths.target[k], *upstream = dz + FOURTHS_FROM + k * FOURTH;
    const real along = fourth_dot(target, upstream);
    real ddecay = splat(0);
    fourth dsum;
    for (int m = 0; m < FOURTH; ++m) {
      ddecay -= r.left * (t->fourths[1 + k][m] - target[m]) * upstream[m];
      dsum[m] = (1.0f - r.left) * f->fourths.factor[k] * (upstream[m] - target[m] * along);
    }
    d->rates[q * STRIDE] = drate_of(&r, ddecay);
    *dpassed += ddecay * r.rate;
    fourth_add(r.left, upstream, dfourths[k]);
    fourth_sum_backward(t, &f->fourths, k, dsum, targets + first, d->targets + first, dmean, dfourths);
  }
  copy(dfourths[0], FOURTHS * FOURTH, dz + FOURTHS_FROM);
}
#endif
#endif
